"""How formats are declared, and the machine that their declarations are compiled for."""
