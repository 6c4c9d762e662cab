"""The compiled core. Sources: ext/*.pyx and ext/kernels/*.c."""
