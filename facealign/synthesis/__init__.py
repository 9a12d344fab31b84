"""Generated faces with exactly known points: a head model, its shading and the pictures of it."""
