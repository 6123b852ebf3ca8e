"""A real Moodle as the course platform, through its REST web services."""
