"""The command `servicelogs`: formats, and log files parsed on this machine."""
