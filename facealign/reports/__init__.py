"""Tables, figures and documents about data and results."""
