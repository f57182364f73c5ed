"""What kind of figure each metric of a criterion is; a new one is named in those that it belongs to."""

BY_IDENTITY = ("coverage_recall", "detection_recall", "pixel_recall", "exposed_identity_share")
"""Counted by people and plates, and so under conditions of their boxes, too."""

OF_LOOKS = ("reading_rate", "linking_rate")
"""Of the looks that were used, by attacks that were made on them beforehand: a run adds nothing to them."""

OF_NOBODY = ("over_blur", "checks_passed", *OF_LOOKS)
"""Of no class, and so of no people."""

OF_CELLS = ("over_blur",)
"""One figure of each cell, which stands in it by this name; a criterion takes the mean of the clips."""

OF_DELIVERIES = ("found_again_share", "residual_per_1000", "checks_passed")
"""Of delivered files."""

IN_FULL = ("checks_passed", *OF_LOOKS)
"""Saying nothing beyond the files that were counted."""

LESS_IS_BETTER = ("exposed_identity_share", "over_blur", "found_again_share", "residual_per_1000", *OF_LOOKS)

UNBOUNDED = ("residual_per_1000",)
"""May be above 1; all others are shares."""
