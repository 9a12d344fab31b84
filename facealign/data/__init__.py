"""Reading data sets: archives, annotation files and which pictures can be used."""
