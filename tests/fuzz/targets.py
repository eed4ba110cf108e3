"""The fuzz targets: functions of bytes that raise only if a law is broken. Documented errors are caught inside."""

from expression_targets import command_line, expression, formula
from file_targets import model_file, native_program, optimiser_state, program_file
from picture_targets import cells, drawing, label, rendered, stepper
from source_targets import source

__all__ = ["TARGETS"]

TARGETS = {
    target.__name__: target
    for target in (
        expression, formula, command_line, drawing, rendered, stepper, cells, label, source, model_file,
        optimiser_state, program_file, native_program,
    )
}  # fmt: skip
