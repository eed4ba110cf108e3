"""Resample an image that was rotated or scaled about its centre, by bilinear interpolation."""

import math

from microgradlib.data.dataset import Row


def pixel(image: list[list[float]], r: int, c: int) -> float:
    """Return image[r][c], or 0 outside the image.

    >>> pixel([[1.0, 2.0]], 0, 1), pixel([[1.0, 2.0]], 0, 2)
    (2.0, 0.0)
    """
    return image[r][c] if 0 <= r < len(image) and 0 <= c < len(image[0]) else 0.0


def resampled(image: list[list[float]], a: float, b: float) -> Row:
    """Return the pixels of an image rotated by θ and enlarged by s about its centre, row by row.

    a = cos θ / s, b = sin θ / s. Each pixel is interpolated at its source position: itself rotated by −θ, divided by s.

    >>> resampled([[1.0, 3.0]], 0.5, 0.0)
    (1.5, 2.5)
    """
    height, width = len(image), len(image[0])
    centre_r, centre_c = (height - 1) / 2, (width - 1) / 2
    pixels = []
    for r in range(height):
        for c in range(width):
            right, up = c - centre_c, centre_r - r  # row numbers grow downwards
            source_c, source_r = centre_c + right * a + up * b, centre_r - (up * a - right * b)
            r0, c0 = math.floor(source_r), math.floor(source_c)
            dr, dc = source_r - r0, source_c - c0
            upper = (1 - dc) * pixel(image, r0, c0) + dc * pixel(image, r0, c0 + 1)
            lower = (1 - dc) * pixel(image, r0 + 1, c0) + dc * pixel(image, r0 + 1, c0 + 1)
            pixels.append((1 - dr) * upper + dr * lower)
    return tuple(pixels)
