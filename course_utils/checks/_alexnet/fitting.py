"""fit: its words for students. The cases and the judging are in `fitting_judged`."""

from __future__ import annotations

import math

from course_utils.checks._alexnet.fitting_flaws import (
    after_the_epoch,
    batch_errors,
    decay_afterwards,
    decay_beside,
    decay_beside_without_rate,
    decay_without_rate,
    drops,
    in_training_set,
    last_one,
    like,
    lost,
    mean_of_all_epochs,
    modes,
    nesterov,
    no_decay,
    no_momentum,
    noted,
    of_all_epochs,
    only,
    ordinary,
    repeats,
    seed_plays_no_part,
    torch_nesterov,
    unweighted,
    updated,
    weights_alone,
)
from course_utils.checks._alexnet.fitting_judged import (
    BATCHES,
    NUMBERS,
    SCHEDULES,
    fit_cases,
    one_order,
    verify_fit,
)
from course_utils.checks._alexnet.fitting_runs import call_fit, torch_fit
from course_utils.checks.exercise import Exercise, Misconception

fit = Exercise(
    name="fit",
    cases=fit_cases,
    call=call_fit,
    verify=verify_fit,
    stand_in=torch_fit,
    for_call=("images", "labels", "unseen", "truth", "weight", "bias", "seeds"),
    forbidden=("scipy", "sklearn"),
    difficulty=4,
    importance=5,
    minutes=60,
    hints=(
        "Three parts that can be written and tried one by one: the update, which has a velocity for each parameter; "
        "one epoch, which goes through a random order in batches; and the schedule, which needs the best error so far "
        "and a count.",
        "velocities = [torch.zeros_like(p) for p in model.parameters()], made once, before the first epoch. "
        "torch.randperm(N, generator=torch.Generator().manual_seed(seed)) gives an order, .split(batch_size) its "
        "batches; make the generator once, too. An epoch's loss is Σ (loss · rows of the batch) / N.",
        "velocity.mul_(0.9).sub_(ε * (p.grad + 0.0005 * p)), then p.add_(velocity), under torch.no_grad(). After the "
        "error is noted: if error < best: best, waited = error, 0, else waited += 1; if waited == patience: "
        "ε, waited = ε / 10, 0.",
    ),
    misconceptions=(
        Misconception(
            "learning rate outside the velocity",
            "It looks as if the learning rate multiplies the velocity, as in torch.optim.SGD. After a division the "
            "whole velocity then shrinks at once.",
            "Ask yourself: in the update of the docstring, does a change of ε change what v has gathered before?",
            matches=like(updated(ordinary)),
        ),
        Misconception(
            "Nesterov momentum",
            "It looks as if the step looks ahead, as Nesterov's momentum does.",
            "Ask yourself: in w ← w + v, is v used as it is?",
            matches=like(updated(nesterov), updated(torch_nesterov)),
        ),
        Misconception(
            "decay without the learning rate",
            "It looks as if 0.0005·w is subtracted without ε. With a small ε the weights then shrink much faster.",
            "Ask yourself: which three factors does the decay have in the docstring?",
            matches=like(updated(decay_without_rate), updated(decay_beside_without_rate)),
        ),
        Misconception(
            "decay outside the velocity",
            "It looks as if the decay acts on the weights directly. In the paper it is part of the velocity, so it is "
            "gathered like a gradient.",
            "Ask yourself: in which of the two lines of the update does 0.0005 stand?",
            matches=like(updated(decay_beside), updated(decay_afterwards)),
        ),
        Misconception(
            "no decay of biases",
            "It looks as if biases do not decay. In the paper, and in this exercise, all parameters do.",
            "Ask yourself: for which parameters does your decay apply?",
            matches=like(updated(weights_alone)),
        ),
        Misconception(
            "no decay",
            "It looks as if the weights do not decay at all.",
            "Ask yourself: which line of yours contains 0.0005?",
            matches=like(updated(no_decay)),
        ),
        Misconception(
            "gradients accumulate",
            "It looks as if the gradients of earlier batches are still there. backward adds to what .grad holds.",
            "Ask yourself: what does .grad hold just before your call of backward?",
            matches=like({"cleared": "never"}, {"cleared": "epoch"}),
        ),
        Misconception(
            "velocity reset at a division",
            "It looks as if the velocities start at 0 again when the learning rate is divided.",
            "Ask yourself: do you make a new optimizer when ε changes, and what happens to its velocities?",
            matches=like({"reset": "division"}),
        ),
        Misconception(
            "no momentum from epoch to epoch",
            "It looks as if the gradients of earlier epochs play no part: the velocities are 0 again at the start of "
            "an epoch, or there are none.",
            "Ask yourself: are the velocities made once, before the first epoch?",
            matches=like({"reset": "epoch"}, updated(no_momentum)),
        ),
        Misconception(
            "divided after every epoch",
            "It looks as if the learning rate is divided after every epoch.",
            "Ask yourself: what must happen before ε is divided?",
            matches=like(SCHEDULES["divided after every epoch"]),
        ),
        Misconception(
            "patience ignored",
            "It looks as if the learning rate is divided after each single epoch without a new best error.",
            "Ask yourself: which line of yours uses patience?",
            matches=like(SCHEDULES["patience ignored"]),
        ),
        Misconception(
            "one epoch too late",
            "It looks as if you wait one epoch longer than patience says.",
            "Ask yourself: with patience 1, after how many epochs without a new best should ε be divided?",
            matches=like(SCHEDULES["one epoch too late"]),
        ),
        Misconception(
            "count not started afresh",
            "It looks as if the count of epochs goes on after a division. Then ε is divided again in the next epoch.",
            "Ask yourself: how long should the smaller ε be given a chance?",
            matches=like(SCHEDULES["count not started afresh"]),
        ),
        Misconception(
            "count never set back",
            "It looks as if a new best error does not set the count back to 0.",
            "Ask yourself: must the epochs without a new best be in a row?",
            matches=like(SCHEDULES["count never set back"]),
        ),
        Misconception(
            "compared with the epoch before",
            "It looks as if the error is compared with the one of the epoch before. A zigzag then looks like progress.",
            "Ask yourself: errors 0.5, 0.9, 0.8, 0.7: when was the last new best?",
            matches=like(SCHEDULES["compared with the epoch before"]),
        ),
        Misconception(
            "equal counts as a new best",
            "It looks as if an error equal to the best one counts as a new best.",
            "Ask yourself: should an error that stays the same for ever keep ε as it is?",
            matches=like(SCHEDULES["equal counts as a new best"]),
        ),
        Misconception(
            "best error forgotten at a division",
            "It looks as if the best error starts afresh when the learning rate is divided. Only the count does.",
            "Ask yourself: is an error that was reached before with a larger ε new when it is reached again?",
            matches=like(SCHEDULES["best forgotten"]),
        ),
        Misconception(
            "loss watched",
            "It looks as if ε is divided when the validation loss stops falling. What counts here is the error.",
            "Ask yourself: which of your numbers is compared with the best one so far?",
            matches=like(SCHEDULES["loss watched"]),
        ),
        Misconception(
            "never divided",
            "It looks as if the learning rate stays what it was in the beginning.",
            "Ask yourself: which line of yours makes ε smaller, and does the next update use the new one?",
            matches=like(SCHEDULES["never divided"]),
        ),
        Misconception(
            "division forgotten",
            "It looks as if the learning rate comes back to its first value after a division.",
            "Ask yourself: which of your variables keeps the divided ε from one epoch to the next?",
            matches=like(SCHEDULES["division forgotten"]),
        ),
        Misconception(
            "learning rate of the next epoch",
            "It looks as if the history holds the learning rate after the division. The one of the epoch's updates was "
            "asked for.",
            "Ask yourself: when do you note the learning rate, before or after it may be divided?",
            matches=like(SCHEDULES["learning rate of the next epoch"]),
        ),
        Misconception(
            "accuracy for the error",
            "It looks as if accuracy and error are mixed up: one is 1 minus the other, and a lower error is better.",
            "Ask yourself: if all validation images are right, is your number 0 or 1?",
            matches=like(
                SCHEDULES["accuracy"],
                {"measure": lambda share: 1 - share},
                {"measure": lambda share: 1 - share, "better": lambda new, best, last: math.isinf(best) or new > best},
            ),
        ),
        Misconception(
            "error of the training set",
            "It looks as if the error is measured on the training images. The network has seen those.",
            "Ask yourself: which images tell when the network has stopped to learn what holds for others too?",
            matches=in_training_set,
        ),
        Misconception(
            "measured in training mode",
            "It looks as if the validation error is measured in training mode, with dropout on.",
            "Ask yourself: in which mode does a step leave the model?",
            matches=modes("mode"),
        ),
        Misconception(
            "gradients recorded in evaluation",
            "It looks as if PyTorch records the graph of the validation pass. It fills the memory for nothing.",
            "Ask yourself: what does torch.no_grad() do, and which lines should it hold?",
            matches=modes("gradients"),
        ),
        Misconception(
            "trained in evaluation mode",
            "It looks as if the network is still in evaluation mode when it is trained. Then nothing is dropped.",
            "Ask yourself: which call undoes model.eval() before the next epoch?",
            matches=modes("training"),
        ),
        Misconception(
            "same order in each epoch",
            "It looks as if all epochs have the same batches.",
            "Ask yourself: is a new order drawn in each epoch, or is the generator made again there?",
            matches=only((BATCHES,), one_order),
        ),
        Misconception(
            "last batch dropped",
            "It looks as if the last, shorter batch is left out. Some images are then not used in an epoch.",
            "Ask yourself: with 23 images and batches of 5, how many batches does an epoch have?",
            matches=lambda case, outputs: (
                drops(case, outputs) if case.aspect in (BATCHES, NUMBERS) else verify_fit(case, outputs) is None
            ),
        ),
        Misconception(
            "drawn with replacement",
            "It looks as if rows are drawn one by one, so that some come twice in an epoch and others not at all.",
            "Ask yourself: how does a random row, drawn again and again, differ from a random order of all rows?",
            matches=repeats,
        ),
        Misconception(
            "the seed plays no part",
            "It looks as if the order of the batches does not follow from the seed alone.",
            "Ask yourself: which generator draws your order, and what was it seeded with?",
            matches=only((BATCHES,), seed_plays_no_part),
        ),
        Misconception(
            "mean of batch means",
            "It looks as if a mean over the batches is taken, for the loss or for the error. The images of the shorter "
            "last batch then count more than the others.",
            "Ask yourself: if the last batch has one image, which share of your mean does it get?",
            matches=noted(lost(unweighted), batch_errors(), batch_errors(unweighted)),
        ),
        Misconception(
            "loss of the last batch",
            "It looks as if the loss in the history is that of the epoch's last batch alone.",
            "Ask yourself: which images does your number speak of?",
            matches=noted(lost(last_one)),
        ),
        Misconception(
            "loss after the epoch",
            "It looks as if the loss is measured anew when the epoch is over. What was asked for are the losses of the "
            "batches as they were trained on.",
            "Ask yourself: how many forward passes of the training images does your epoch need?",
            matches=noted(after_the_epoch),
        ),
        Misconception(
            "loss of all epochs so far",
            "It looks as if the sum of the losses goes on from epoch to epoch.",
            "Ask yourself: which of your variables must be 0 again when an epoch begins?",
            matches=noted(of_all_epochs, mean_of_all_epochs),
        ),
    ),
)
