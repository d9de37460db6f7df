"""Reads the commands of a document, and the requests that its AWS commands make.

The AWS command line is not installed with the checks. It derives its commands and options from the descriptions of the
services that botocore has, too, so a command that is read here exists and has these options.
"""

import json
import re
import shlex

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator

PLACEHOLDER = re.compile(r"<[^<>]*>")
STAND_IN = "placeholder"
# Options of every command, each with one value.
GLOBAL = {"query", "output", "cli-binary-format", "cli-read-timeout", "max-items"}
SESSION = botocore.session.get_session()


class WrongCommand(Exception):
    """A command that does not exist, or that does not have these options."""


def read_commands(document):
    """The commands of all blocks without a language, in their order, one line each."""
    lines, language = [], None
    for line in map(str.strip, document.splitlines()):
        if line.startswith("```"):
            language = line[3:] if language is None else None
        elif language == "":
            lines.append(line)
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    return [command for line in joined.splitlines() for command in line.split(" && ")]


def read_inline_commands(document):
    """The AWS commands within sentences. They may leave out options and values that the sentence describes."""
    quoted = re.findall(r"`(aws [^`]+)`", document)
    return [" ".join(command.split()) for command in quoted]


def read_request(command, *, is_complete=True):
    """The service, the method of its client and the parameters of an AWS command. Placeholders are replaced."""
    words = shlex.split(PLACEHOLDER.sub(STAND_IN, command).split(" > ")[0])
    while "=" in words[0]:
        words.pop(0)
    _, service, operation, *rest = words
    if service not in SESSION.get_available_services():
        raise WrongCommand(f"{command}: no service {service}")
    model = SESSION.get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in operations:
        raise WrongCommand(f"{command}: {service} has no {operation}")
    operation = model.operation_model(operations[operation])
    parameters = read_parameters(command, operation, rest, is_complete)
    if is_complete and operation.input_shape:
        report = ParamValidator().validate(parameters, operation.input_shape)
        if report.has_errors():
            raise WrongCommand(f"{command}: {report.generate_report()}")
    return service, xform_name(operation.name), parameters


def read_parameters(command, operation, words, is_complete):
    """The parameters of a request. A command whose answer is a file names it last."""
    shape = operation.input_shape
    members = {xform_name(name, "-"): name for name in (shape.members if shape else {})}
    parameters, others = {}, []
    while words:
        word, *words = words
        values = []
        while word.startswith("--") and words and not words[0].startswith("--"):
            value, *words = words
            values.append(value)
        option = word.removeprefix("--")
        if not word.startswith("--"):
            others.append(word)
        elif option in GLOBAL:
            others.extend(values[1:])
        elif option.removeprefix("no-") in members:
            name = members[option.removeprefix("no-")]
            if not values and not is_complete and shape.members[name].type_name != "boolean":
                continue
            parameters[name], left = convert(shape.members[name], values, option)
            others.extend(left)
        else:
            raise WrongCommand(f"{command}: no option {word}")
    if len(others) > operation.has_streaming_output:
        raise WrongCommand(f"{command}: {others} belong to no option")
    return parameters


def convert(shape, values, option=""):
    """The value of an option, and the words that do not belong to it."""
    if shape.type_name == "boolean" and not values:
        return not option.startswith("no-"), []
    if not values:
        raise WrongCommand(f"--{option} needs a value")
    first, *rest = values
    if shape.type_name in ("list", "map", "structure") and first[0] in "[{":
        return json.loads(first), rest
    if shape.type_name == "list":
        return [convert(shape.member, [value])[0] for value in values], []
    if shape.type_name in ("map", "structure"):
        return read_shorthand(shape, first), rest
    if shape.type_name in ("integer", "long"):
        return int(first.replace(STAND_IN, "1")), rest
    if shape.type_name == "boolean":
        return {"true": True, "false": False}[first], rest
    if shape.type_name == "timestamp":
        return first.replace(STAND_IN, "2026-01-01T00:00:00Z"), rest
    if first != STAND_IN and first not in (getattr(shape, "enum", None) or [first]):
        raise WrongCommand(f"{first} is not one of {shape.enum}")
    return first, rest


def read_shorthand(shape, text):
    """A value in the form `Name=value,Name=value`."""
    found = {}
    for part in re.split(r",(?=[A-Za-z][\w:.-]*=)", text):
        name, _, value = part.partition("=")
        if shape.type_name == "structure" and name not in shape.members:
            raise WrongCommand(f"{text}: {shape.name} has no {name}")
        member = shape.members[name] if shape.type_name == "structure" else shape.value
        found[name] = convert(member, [value])[0]
    return found
