"""Generated faces whose points are known exactly: head model, rendering, and data sets of both."""
