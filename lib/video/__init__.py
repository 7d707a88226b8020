"""Video in and out: frames of movies, folders, cameras and streams; overlays; runs that resume."""
