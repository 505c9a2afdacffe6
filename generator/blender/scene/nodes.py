"""Shader nodes in a line each: attributes, arithmetic, textures, mixtures."""

from __future__ import annotations

from typing import TypeAlias

import bpy

Socket: TypeAlias = bpy.types.NodeSocket
Value: TypeAlias = bpy.types.NodeSocket | float | tuple[float, ...]
Color: TypeAlias = tuple[float, float, float]


class NodeGraph:
    """Adds nodes to the tree of a material or a world; most methods return the socket with the result.

    :param material: whose nodes they are; :attr:`values` are those that are told later, by name.
    """

    def __init__(self, material: bpy.types.Material | bpy.types.World) -> None:
        self.material, self.tree = material, material.node_tree
        self.values: dict[str, bpy.types.Node] = {}

    def add(self, kind: str, **inputs: Value) -> bpy.types.Node:
        """A node of the type ``ShaderNode`` + kind; the inputs' names have ``_`` for spaces."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, value in inputs.items():
            self.feed(node.inputs[name.replace("_", " ")], value)
        return node

    def feed(self, target: Socket, value: Value) -> None:
        """Link a socket to another, or give it a value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, target)
        else:
            target.default_value = (*value, 1.0) if target.type == "RGBA" and isinstance(value, tuple) else value

    def number(self, name: str) -> Socket:
        """A number to be told by :meth:`tell`."""
        return self._value(name, "ShaderNodeValue")

    def color(self, name: str) -> Socket:
        """A color to be told by :meth:`tell`."""
        return self._value(name, "ShaderNodeRGB")

    def _value(self, name: str, kind: str) -> Socket:
        if name not in self.values:
            self.values[name] = self.tree.nodes.new(kind)
        return self.values[name].outputs[0]

    def tell(self, **values: float | tuple[float, float, float]) -> None:
        """Set numbers and colors by name."""
        for name, value in values.items():
            self.values[name].outputs[0].default_value = value if isinstance(value, int | float) else (*value, 1.0)

    def attribute(self, name: str, output: str = "Fac") -> Socket:
        """A point attribute; ``output`` is Fac, Color or Vector."""
        node = self.add("Attribute")
        node.attribute_name = name
        return node.outputs[output]

    def math(self, operation: str, *values: Value) -> Socket:
        """Arithmetic on numbers, such as ``MULTIPLY``."""
        node = self.add("Math")
        node.operation = operation
        for target, value in zip(node.inputs, values, strict=False):
            self.feed(target, value)
        return node.outputs[0]

    def times(self, one: Value, other: Value) -> Socket:
        """The product of two numbers."""
        return self.math("MULTIPLY", one, other)

    def vector_math(self, operation: str, *values: Value) -> Socket:
        """Arithmetic on vectors and colors, such as ``ADD``; ``LENGTH`` gives a number."""
        node = self.add("VectorMath")
        node.operation = operation
        for target, value in zip(node.inputs, values, strict=False):
            self.feed(target, value)
        return node.outputs["Value" if operation == "LENGTH" else "Vector"]

    def scaled(self, color: Value, factor: Value) -> Socket:
        """A color times a number."""
        product = self.vector_math("SCALE", color)
        self.feed(product.node.inputs["Scale"], factor)
        return product

    def tinted(self, color: Value, tint: Value) -> Socket:
        """A color times another."""
        return self.vector_math("MULTIPLY", color, tint)

    def ramp(self, value: Value, low: float, high: float) -> Socket:
        """0 at ``low``, 1 at ``high`` (which may be the lesser), straight between."""
        node = self.add("MapRange")
        self.feed(node.inputs["Value"], value)
        node.inputs["From Min"].default_value, node.inputs["From Max"].default_value = low, high
        return node.outputs["Result"]

    def color_ramp(
        self,
        value: Value,
        colors: tuple[Color, Color],
        places: tuple[float, float] = (0.0, 1.0),
        interpolation: str = "LINEAR",
    ) -> Socket:
        """The color of a number: the first one up to the first of the places, the second one from the second on."""
        node = self.add("ValToRGB")
        node.color_ramp.interpolation = interpolation
        for stop, color, place in zip(node.color_ramp.elements, colors, places, strict=True):
            stop.color, stop.position = (*color, 1.0), place
        self.feed(node.inputs[0], value)
        return node.outputs[0]

    def apart(self, vector: Socket) -> tuple[Socket, Socket, Socket]:
        """The three components."""
        x, y, z = self.add("SeparateXYZ", Vector=vector).outputs
        return x, y, z

    def mix(self, fraction: Value, one: Value, other: Value) -> Socket:
        """A color between two."""
        node = self.add("Mix")
        node.data_type = "RGBA"
        first, second = (socket for socket in node.inputs if socket.type == "RGBA")
        self.feed(node.inputs[0], fraction)
        self.feed(first, one)
        self.feed(second, other)
        return next(socket for socket in node.outputs if socket.type == "RGBA")

    def between(self, fraction: Value, one: Value, other: Value) -> Socket:
        """A number between two."""
        node = self.add("Mix")
        for target, value in zip((0, 2, 3), (fraction, one, other), strict=True):
            self.feed(node.inputs[target], value)
        return node.outputs[0]

    def mix_shaders(self, fraction: Value, one: Socket, other: Socket) -> Socket:
        """One shader or another."""
        node = self.add("MixShader")
        for target, value in zip(node.inputs, (fraction, one, other), strict=True):
            self.feed(target, value)
        return node.outputs[0]

    def add_shaders(self, one: Socket, other: Socket) -> Socket:
        """The light of two shaders together."""
        node = self.add("AddShader")
        for target, value in zip(node.inputs, (one, other), strict=True):
            self.feed(target, value)
        return node.outputs[0]

    def mapped(self, place: Socket, scale: tuple[float, float, float], rotation: float = 0.0) -> Socket:
        """Places stretched along the axes and turned about Y by radians."""
        return self.add("Mapping", Vector=place, Scale=scale, Rotation=(0.0, rotation, 0.0)).outputs[0]

    def noise(self, place: Socket, scale: float, detail: float = 1.0, distortion: float = 0.0) -> Socket:
        """Perlin noise, 0..1."""
        return self.add("TexNoise", Vector=place, Scale=scale, Detail=detail, Distortion=distortion).outputs[0]

    def lines(self, field: Socket, wide: float) -> Socket:
        """1 where a noise is 0.5, 0 where it is farther from that than ``wide``."""
        return self.ramp(self.math("ABSOLUTE", self.math("SUBTRACT", field, 0.5)), wide, 0.0)

    def wave(self, place: Socket, axis: str, step: float, distortion: float = 0.3) -> Socket:
        """Bands ``step`` metres apart along an axis, 0..1."""
        node = self.add("TexWave", Vector=place, Scale=0.314 / step, Distortion=distortion)
        node.bands_direction = axis
        return node.outputs["Fac"]

    def bump(self, height: Socket, metres: float, strength: float = 1.0) -> Socket:
        """The normal on a surface whose height, 0..1, stands for so many metres; ``strength`` is 0..1."""
        return self.add("Bump", Height=height, Strength=strength, Distance=metres).outputs[0]

    def write_pass(self, name: str, **value: Value) -> None:
        """Write a ``Value`` or a ``Color`` to the render pass (AOV) of this name."""
        self.add("OutputAOV", **value).aov_name = name
