"""One library function per command; the command line only translates."""
