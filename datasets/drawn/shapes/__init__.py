"""The drawn objects of the VOC and Youtube-Objects miniatures: stills and video from a seed."""
