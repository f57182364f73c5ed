"""What to do with a file that can't be taken as it is: commands that were tried on such files."""

REMUX = (
    "write its packets anew (ffmpeg -i IN -map 0:v:0 -map 0:a? -c copy OUT.mov), then try again. Where that does "
    "not help, save its pictures without loss (ffmpeg -i IN -map 0:v:0 -map 0:a? -c:v ffv1 -c:a copy OUT.mkv), and "
    "look whether sound still fits"
)
"""For a file whose times or headers are in disorder."""

_BARE_JPEG = (
    ". Where it is a bare stream of JPEG pictures, give it a container and its rate first: "
    "ffmpeg -f mjpeg -framerate 25 -i IN -c copy OUT.mov"
)
STILL = (
    ". To cover it, make it the first of a folder of numbered images (ffmpeg -i IN FOLDER/1.png), and name that "
    "folder, a rate (--rate 25) and an image preset (png)"
)
"""For photos, of which a folder of numbered PNG images can be made."""

FILL = "ffmpeg -i IN -map 0 -c copy -c:a pcm_s24le -af aresample=async=1:min_hard_comp=0.01 OUT.mkv"
"""For sound with gaps, or with packets that can't be decoded: silence takes their place."""

SPEED = (
    "is to be played at {:g} times its speed by its edit list, which is not followed here: write the film as it is "
    "played, in the program that made it; or take all edits off, so that all that was recorded is shown "
    "(ffmpeg -ignore_editlist 1 -i IN -map 0:v:0 -map 0:a? -c copy OUT.mov)"
)
"""For a film in slow motion by its header."""

BY_SUFFIX = {
    **dict.fromkeys((".jpg", ".jpeg", ".heic", ".heif", ".avif", ".jxl"), STILL),
    ".mjpeg": _BARE_JPEG,
    ".mjpg": _BARE_JPEG,
    ".webp": ". Where its picture moves, save that without loss: ffmpeg -i IN -c:v ffv1 OUT.mkv",
}
"""For kinds of files that are not opened, what makes one of them that is."""

UNREADABLE = (
    ". Save what ffmpeg reads without loss, and look at it (ffmpeg -i IN -map 0:v:0 -map 0:a? -c:v ffv1 -c:a copy "
    "OUT.mkv)"
)
"""For samples that the reader does not know."""

DAMAGED = (
    "\n  The file is damaged, or begins or ends within what belongs together: get a whole copy. Or save what can "
    "be decoded (ffmpeg -i IN -map 0:v -map 0:a? -c:v ffv1 -c:a copy OUT.mkv), look at it and use that"
)
"""For a file of which not every frame decodes."""
