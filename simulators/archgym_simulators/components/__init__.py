"""Energy and area of the parts of accelerators, for every family that is built of them."""
