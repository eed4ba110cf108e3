"""The languages of captions, and the words of charts and plots in both: in English they are the keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal, get_args

from microgradlib._support.lookup import lookup

__all__ = ["CHINESE", "LANGUAGES", "Language", "captions"]

Language = Literal["en", "zh"]
LANGUAGES: Final = get_args(Language)

CHINESE: Final = {
    "Training": "训练",
    "Accuracy": "准确率",
    "Gradients by layer": "各层的梯度",
    "Dead rectifiers": "死亡的 ReLU 单元",
    "mean cost": "平均代价",
    "fraction of examples classified correctly": "分类正确的样本比例",
    "norm of the gradient": "梯度的范数",
    "fraction of units that are 0 at every example": "对所有样本输出都为 0 的单元比例",
    "training": "训练集",
    "validation": "验证集",
    "dead": "死亡单元",
    "epoch": "轮次",
    "kept: epoch {epoch}": "保留：第 {epoch} 轮",
    "output": "输出",
    "output {k}": "输出 {k}",
    "examples": "样本",
    "loss": "损失",
    "path": "训练路径",
    "step ε": "步长 ε",
    "error": "误差",
    "relative error": "相对误差",
    "forward": "前向差分",
    "central": "中心差分",
    "extrapolated": "外推",
    "complex step": "复步法",
    "layer": "层",
    "time step": "时间步",
    "gradient, root mean square": "梯度的均方根",
    "largest": "最大值",
    "parameters, ∂L/∂w": "参数，∂L/∂w",
    "outputs, δ": "输出，δ",
    "not reached: {names}": "梯度未到达：{names}",
    "all 0: {names}": "全为 0：{names}",
}
"""What a chart or a plot may say, in Chinese. A placeholder is `{name}`."""


def captions(lang: Language) -> Callable[..., str]:
    """Return the function from a caption in English, with what fills its places, to the caption in a language.

    A caption that is not in the table, such as the name of a layer, stays as it is.

    Raises `TypeError` or `ValueError` for another language.

    >>> captions("zh")("kept: epoch {epoch}", epoch=12), captions("en")("kept: epoch {epoch}", epoch=12)
    ('保留：第 12 轮', 'kept: epoch 12')
    """
    lookup(lang, dict.fromkeys(LANGUAGES), "language")
    return partial(_caption, CHINESE if lang == "zh" else {})


def _caption(words: dict[str, str], text: str, **parts: Any) -> str:
    return words.get(text, text).format(**parts) if parts else words.get(text, text)
