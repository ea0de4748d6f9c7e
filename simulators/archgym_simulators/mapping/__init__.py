"""Loop-nest mappings of one layer to an accelerator: tiles, orders, the array's dimensions, what each buffer keeps."""
