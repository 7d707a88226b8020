"""Definitions: prototxt text or NetSpec code to messages, with older formats upgraded."""
