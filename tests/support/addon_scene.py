"""What the tests of the add-on ask Blender's scene."""

import bpy
import numpy as np
from mathutils import Matrix

from blender_addon import hand
from generator.hand import anatomy, kinematics, pose
from generator.hand.anatomy import BONES


def some_pose(seed):
    low, high = pose.LIMITS.T
    one = np.random.default_rng(seed).uniform(low, high)
    one[:3] *= 0.2
    return one


def bones(armature):
    """How Blender's evaluated bones have moved from their rest, (21, 4, 4)."""
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
    return np.array([posed[b].matrix @ armature.data.bones[b].matrix_local.inverted() for b in BONES])


def expected(armature):
    """Where the generator says that they are."""
    moved = kinematics.transforms(hand.pose(armature), anatomy.skeleton(hand.shape(armature)))
    return hand.sided(moved, armature)


def rotation(armature, one):
    """Rotate the bones of a right hand as somebody does in pose mode: the sliders know nothing of it yet."""
    moved, skeleton = kinematics.transforms(one, anatomy.skeleton(hand.shape(armature))), anatomy.skeleton()
    for index, (name, parent) in enumerate(zip(BONES, skeleton.parents, strict=True)):
        rest = np.array(armature.data.bones[name].matrix_local)
        above = np.linalg.inv(moved[parent]) if parent >= 0 else np.eye(4)
        basis = np.linalg.inv(rest) @ above @ moved[index] @ rest
        armature.pose.bones[name].matrix_basis = Matrix(basis.tolist())
    bpy.context.view_layer.update()


def marked(armature):
    """The bones that are coloured."""
    return [bone.name for bone in armature.pose.bones if bone.color.palette != "DEFAULT"]
