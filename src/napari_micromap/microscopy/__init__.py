"""What the microscope wrote: pixels, data bar, headers."""
