"""Names that PyTorch, JAX, NumPy, Keras, SymPy and scikit-learn have, and this package has not: what to write here."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ADVICE_ON_ARGUMENTS", "ADVICE_ON_DATA", "ADVICE_ON_HISTORIES", "ADVICE_ON_MODULES", "ADVICE_ON_NAMES",
    "ADVICE_ON_NODES", "ADVICE_ON_OWN", "ADVICE_ON_PICTURES", "ADVICE_ON_PROGRAMS", "ARGUMENTS", "SAME",
]  # fmt: skip


def _by_name(advice: dict[str, str]) -> dict[str, str]:
    """Return the advice for each of the names in a key."""
    return {name: text for names, text in advice.items() for name in names.split()}


ADVICE_ON_NODES: Final = _by_name(
    {
        "item numpy tolist": "the number is x.data",
        "shape size ndim T reshape view squeeze unsqueeze flatten transpose permute expand repeat": (
            "a Value is one number and has no axes: keep several in a list"
        ),
        "sum mean prod var std max min norm dot matmul mm argmax argmin softmax log_softmax logsumexp": (
            "a Value is one number; a list of them goes to a function, as in microgradlib.sum([x, y])"
        ),
        "cpu cuda to double float half type_as": "a Value is one float on this machine: leave it out",
        "zero_ zero_grad": "write x.grad = 0.0, or model.zero_grad()",
        "requires_grad_ retain_grad": "every Value has its gradient after backward(): leave it out",
        "clone copy": "x.detach() is a leaf of the same number",
        "add_ sub_ mul_ div_ fill_ copy_ clamp_": "assign the number, as in x.data -= 0.1 * x.grad",
        "mul sub div pow add neg square": "write x * y, x - y, x / y, x ** 2, x + y or -x",
        "clamp": "write x.clip(low, high)",
        "register_hook": "x.grad is there after backward(): change it then",
        "subs evalf": "evaluate(expression, {x: 2.0}) computes",
        "diff": "gradients(expression, [x]) differentiates",
        "lambdify": "write a function, and compile it",
        "val": "the number is x.data",
        "inputs args": "what it was computed from is x.parents",
    }
)
"""What to write for attributes that neither Values nor Symbols have."""

ADVICE_ON_OWN: Final = _by_name(
    {
        "gradient _grad adjoint": "the gradient is x.grad, after backward()",
        "value _value": "the number is x.data",
        "prev children child": "what it was computed from is x.parents",
        "is_leaf": "a leaf is a Value without x.parents",
        "grad_fn _grad_fn creator": "the op that made it is x.op",
        "requires_grad": "every Value has its gradient after backward()",
        "name _name _label": "its name is x.label",
    }
)
"""What to write for attributes of a program's own that it has not set."""

ADVICE_ON_MODULES: Final = _by_name(
    {
        "predict forward": "call it with one example, model(x)",
        "fit": "write microgradlib.fit(model, loss, X, y)",
        "compile": "write microgradlib.compile(model, model.parameters()), or fit, which compiles by itself",
        "evaluate": "write training.score(model, loss, X, y)",
        "save": "write microgradlib.save(model, path)",
        "load": "write microgradlib.load(model, path)",
        "to cpu cuda double half": "its Values are floats on this machine: leave it out",
        "requires_grad_": "give the optimizer the parameters that are to change",
        "children": "its modules are attributes; model.parameters() finds those of all",
        "register_buffer register_parameter": "set an attribute: a Value is a parameter, a number is not",
        "num_parameters count_params": "write len(model.parameters())",
        "apply": "go through model.parameters()",
        "backward": "its output has it: loss.backward()",
    }
)
"""What to write for attributes that modules have not."""

ADVICE_ON_HISTORIES: Final = _by_name(
    {"history": "history.loss is the list itself", "val_loss": "it is validation_loss", "acc": "it is accuracy"}
)
ADVICE_ON_DATA: Final = _by_name({"data X x features": "they are inputs", "y target labels": "they are targets"})
ADVICE_ON_PICTURES: Final = _by_name(
    {"show view display render": "a notebook shows it as the last line of a cell; save(path) writes a file"}
)
ADVICE_ON_PROGRAMS: Final = _by_name({"grad backward": "write value_and_grad(X, y)"})

ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(here.split())
    for name, here in {
        "learning_rate": "lr optimizer",
        "lr": "optimizer",
        "seed": "rng",
        "random_state": "rng",
        "generator": "rng",
        "verbose": "progress",
        "validation_data": "validation",
        "validation_split": "validation",
        "patience": "early_stopping",
        "device": "devices",
        "ddof": "correction",
        "unbiased": "correction",
        "in_features": "nin",
        "in_channels": "nin",
        "input_size": "nin",
        "out_features": "nout",
        "out_channels": "nout",
        "hidden_size": "nhidden",
        "kernel_size": "size",
        "num_embeddings": "count",
        "embedding_dim": "width",
        "normalized_shape": "width",
        "embed_dim": "width",
        "num_heads": "heads",
        "n_samples": "n",
        "n_features": "n",
        "test_size": "held_out",
        "eps": "step",
        "epsilon": "eps step",
        "h": "step",
        "rankdir": "direction",
        "beta1": "betas",
        "beta2": "betas",
        "rho": "alpha",
        "gradient": "seed",
    }.items()
}
"""What keyword arguments of other libraries' are called here: the first of the names that a function has."""

SAME: Final = {"swish": "silu"}
"""Other names of functions that have a name here, which is not like them."""

ADVICE_ON_ARGUMENTS: Final = _by_name(
    {
        "retain_graph": "the graph is kept: leave it out",
        "create_graph": "gradients(output, inputs) gives derivatives as nodes",
        "dim axis keepdim keepdims": "lists have no axes: apply it to each row",
    }
)
"""What to write instead of keyword arguments of other libraries' that have no name here."""

ADVICE_ON_NAMES: Final = _by_name(
    {
        "Tensor tensor Variable array asarray": "a number is Value(3.0), and several are a list of Values",
        "zeros ones rand randn eye arange linspace": "write a list, as in [Value(0.0) for _ in range(n)]",
        "max amax": "write maximum(x, y) or maximum([x, y])",
        "min amin": "write minimum(x, y) or minimum([x, y])",
        "argmax": "write max(range(len(xs)), key=lambda i: xs[i].data)",
        "matmul mm einsum": "write matvec(rows, xs) or dot(xs, ys)",
        "backward": "write output.backward()",
        "jit": "write compile(f)",
        "vmap": "compile(f) takes a batch",
        "jacrev jacfwd": "write jacobian(f)",
        "Linear Dense": 'write Layer(nin, nout, "linear")',
        "ReLU Sigmoid Tanh GELU SiLU ELU SELU LeakyReLU Softplus Mish Activation": (
            'a layer has its activation by name, as in Layer(2, 3, "relu")'
        ),
        "BatchNorm BatchNorm1d BatchNorm2d": "there is LayerNorm, which needs no batch",
        "ModuleList ModuleDict ParameterList": "parameters are found in lists and dicts of modules, too",
        "Parameter": "a Value that is an attribute of a Module is a parameter",
        "MultiheadAttention MultiHeadAttention Transformer": "write CausalSelfAttention(width, heads)",
        "init": 'a layer draws its weights by name, as in Layer(2, 3, init="he")',
        "CrossEntropyLoss categorical_crossentropy sparse_categorical_crossentropy": "write costs.cross_entropy",
        "MSELoss mse_loss mse mean_squared_error": "write costs.squared_error",
        "BCELoss bce binary_crossentropy": "write costs.binary_cross_entropy",
        "BCEWithLogitsLoss": "write costs.binary_cross_entropy_with_logits",
        "L1Loss l1_loss mae mean_absolute_error": "write costs.absolute_error",
        "NLLLoss nll_loss": "write costs.nll",
        "HuberLoss": "write costs.huber",
        "KLDivLoss": "write costs.kl_div",
        "lr_scheduler StepLR CosineAnnealingLR LinearLR ExponentialLR LambdaLR": (
            "a rate may be a function of the step, as in lr=optim.cosine(0.1, 0.0, steps=100)"
        ),
        "LBFGS": 'write minimize(loss, parameters, method="L-BFGS-B")',
        "DataLoader TensorDataset": "training.fit(…, batch_size=32) makes the batches",
        "load_iris": "write data.iris()",
        "load_digits mnist MNIST": "write data.digits()",
        "make_moons": "write data.moons()",
        "make_circles": "write data.circles()",
        "make_blobs": "write data.blobs()",
        "train_test_split random_split": "write data.split(dataset, held_out=0.2)",
        "StandardScaler": "write data.standardise(train, test)",
        "accuracy_score": "write metrics.accuracy",
        "f1_score precision_score recall_score": "metrics.confusion_matrix has the counts",
    }
)
"""What to write for names that no module of the package has."""
