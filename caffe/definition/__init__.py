"""Definitions: prototxt text or NetSpec code to messages, older forms brought up to date."""
