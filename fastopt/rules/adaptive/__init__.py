"""Steps scaled coordinate by coordinate, without momentum."""
