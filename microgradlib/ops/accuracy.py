"""How exact the ops are: the largest errors found against mpmath, over the whole range of float64.

`LARGEST_ERRORS` has, for each op, the largest error of the value, of the first and of the second derivatives, in units
in the last place (ulp). Each op is computed at some hundreds of hard points: the limits of the format, where formulas
switch, saturation, overflow, and numbers of every magnitude. Where the condition number Σ |xᵢ ∂q/∂xᵢ|/|q| of a result q
is above 1, the error is divided by it. A test holds values to 4 ulp and derivatives to 16; what exceeds these:

- a second derivative beyond 1.8e308 may be nan instead of inf;
- ops of several inputs lose digits where one is below 2.2e-308, as its reciprocal overflows;
- where |y| < 1, x^(y−1) is exact to 2 |ln x| ulp only, as y − 1 is rounded, and may overflow before y x^(y−1) does;
- `prod`: a product of some of the factors may over- or underflow where that of all does not;
- `atan2`, and `unit`, of derivatives only: second derivatives, third ones of `hypot`, may be inf where 1/(x² + y²)
  overflows;
- `std`: second derivatives are exact relative to their terms, 1/(n z), which cancel for n = 2;
- `cross_entropy`: second derivatives by a weight and a logit are exact to 1e-16 only where a probability is near 1;
- `lgamma` of negative numbers is exact to 1e-15 only near its zeros and extremes there;
- `xlog1py`: the second derivative by y loses digits where (1 + y)² over- or underflows.

Compiled functions use NumPy's elementary functions, whose last digit may differ.
"""

__all__ = ["LARGEST_ERRORS"]

LARGEST_ERRORS: dict[str, tuple[float, float, float]] = {
    "sigmoid": (1.3, 2.3, 2.5),
    "logit": (1.0, 0.8, 3.8),
    "relu": (0.0, 0.0, 0.0),
    "leaky_relu": (0.5, 0.0, 0.0),
    "elu": (0.8, 0.9, 0.9),
    "softplus": (1.0, 1.3, 2.3),
    "hard_sigmoid": (0.5, 0.0, 0.0),
    "hard_tanh": (0.0, 0.0, 0.0),
    "add": (0.5, 0.0, 0.0),
    "sub": (0.5, 0.0, 0.0),
    "neg": (0.0, 0.0, 0.0),
    "mul": (0.5, 0.0, 0.0),
    "div": (0.5, 1.1, 1.5),
    "pow": (0.5, 13.3, 12.7),
    "square": (0.5, 0.0, 0.0),
    "reciprocal": (0.5, 1.6, 2.4),
    "mod": (0.5, 2.0, 0.0),
    "floordiv": (0.5, 0.0, 0.0),
    "fmod": (0.0, 0.5, 0.0),
    "degrees": (0.7, 0.3, 0.0),
    "radians": (0.6, 0.1, 0.0),
    "exp": (0.5, 0.5, 0.5),
    "exp2": (0.5, 2.9, 2.9),
    "expm1": (0.7, 0.5, 0.5),
    "log": (0.5, 0.5, 1.0),
    "log1p": (0.7, 1.3, 2.8),
    "log2": (0.5, 0.6, 1.1),
    "log10": (0.8, 1.8, 2.0),
    "sqrt": (0.5, 1.3, 3.0),
    "cbrt": (0.7, 2.1, 6.0),
    "xlogy": (1.2, 0.5, 1.1),
    "erf": (0.6, 3.9, 15.2),
    "erfc": (1.4, 9.5, 15.2),
    "gamma": (3.0, 11.0, 3.9),
    "lgamma": (3.9, 8.4, 3.3),
    "polygamma": (3.8, 6.3, 6.8),
    "identity": (0.0, 0.0, 0.0),
    "strong_mul": (0.5, 0.0, 0.0),
    "pow_slope": (3.9, 11.6, 12.9),
    "pow_log": (1.5, 8.3, 11.3),
    "where": (0.0, 0.0, 0.0),
    "less": (0.0, 0.0, 0.0),
    "less_equal": (0.0, 0.0, 0.0),
    "greater": (0.0, 0.0, 0.0),
    "greater_equal": (0.0, 0.0, 0.0),
    "sign": (0.0, 0.0, 0.0),
    "step": (0.0, 0.0, 0.0),
    "floor": (0.0, 0.0, 0.0),
    "ceil": (0.0, 0.0, 0.0),
    "abs": (0.0, 0.0, 0.0),
    "copysign": (0.0, 0.0, 0.0),
    "clip": (0.0, 0.0, 0.0),
    "logaddexp": (1.5, 13.3, 13.2),
    "xlog1py": (1.1, 0.9, 1.8),
    "digamma": (3.8, 2.0, 3.2),
    "share": (1.3, 2.2, 8.1),
    "neg_log_softmax": (1.9, 13.1, 15.1),
    "cross_entropy": (1.6, 1.4, 15.6),
    "sum": (0.8, 0.0, 0.0),
    "mean": (1.0, 0.3, 0.0),
    "var": (1.8, 2.9, 0.4),
    "std": (1.4, 7.5, 15.1),
    "prod": (1.1, 0.5, 0.0),
    "norm": (0.7, 1.1, 4.0),
    "dot": (0.8, 0.0, 0.0),
    "maximum": (0.0, 0.0, 0.0),
    "minimum": (0.0, 0.0, 0.0),
    "logsumexp": (0.8, 13.3, 13.4),
    "sgn": (0.0, 0.0, 0.0),
    "heaviside": (0.0, 0.0, 0.0),
    "trunc": (0.0, 0.0, 0.0),
    "round": (0.0, 0.0, 0.0),
    "tanh_slope": (2.9, 2.7, 6.6),
    "sigmoid_slope": (2.3, 2.5, 5.4),
    "one_minus_two_sigmoid": (1.7, 2.3, 2.5),
    "one_minus_square": (1.5, 0.0, 0.0),
    "unit": (0.8, 3.3, 8.1),
    "sinpi": (3.7, 13.4, 15.5),
    "cospi": (2.7, 8.4, 12.5),
    "log_sigmoid": (1.0, 1.4, 2.3),
    "softsign": (1.1, 3.0, 4.2),
    "selu": (1.2, 1.3, 1.3),
    "silu": (1.2, 4.3, 6.4),
    "mish": (2.3, 13.9, 10.6),
    "ndtr": (2.6, 4.7, 5.4),
    "gelu": (3.4, 8.3, 7.3),
    "gelu_tanh": (3.1, 6.9, 13.9),
    "sin": (0.5, 0.5, 0.5),
    "cos": (0.5, 0.5, 0.5),
    "tan": (0.5, 1.2, 2.4),
    "sinc": (2.9, 7.6, 11.1),
    "asin": (0.5, 1.0, 5.0),
    "acos": (0.5, 1.0, 5.0),
    "atan": (0.5, 2.9, 4.0),
    "atan2": (0.5, 1.7, 3.7),
    "sinh": (1.0, 1.0, 1.0),
    "cosh": (1.0, 1.0, 1.0),
    "tanh": (1.5, 2.9, 2.3),
    "asinh": (0.9, 1.3, 2.7),
    "acosh": (0.8, 1.7, 3.1),
    "atanh": (0.9, 1.0, 4.0),
    "hypot": (0.5, 1.0, 3.3),
}
