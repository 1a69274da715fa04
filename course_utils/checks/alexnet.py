"""The exercises of 08_alexnet, in the notebook's order."""

from course_utils.checks._alexnet.checkpoints import load_checkpoint, save_checkpoint
from course_utils.checks._alexnet.errors import topk_errors
from course_utils.checks._alexnet.evaluate import repaired_evaluate
from course_utils.checks._alexnet.fitting import fit
from course_utils.checks._alexnet.initial import alexnet_init
from course_utils.checks._alexnet.network import AlexNet
from course_utils.checks._alexnet.stepping import train_step
from course_utils.checks._alexnet.ten_crops import ten_crop_errors
from course_utils.checks._alexnet.towers import merge_towers
from course_utils.checks._alexnet.weights import train_alexnet

# The students write PyTorch: only these packages cannot be imported while the notebook is graded.
MASKED = ("scipy", "sklearn")

EXERCISES = (
    AlexNet,
    merge_towers,
    alexnet_init,
    topk_errors,
    train_step,
    fit,
    save_checkpoint,
    load_checkpoint,
    ten_crop_errors,
    repaired_evaluate,
    train_alexnet,
)
