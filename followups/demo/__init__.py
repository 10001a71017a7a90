"""The demonstration's data: six weeks of an invented clinic, told through the services that people use.

Nobody here is real. History is made by moving the demonstration's clock back and letting time pass, so every promise,
reminder and audit line is what the product itself would have made of it.
"""
