"""Videos as cameras write them: broken and cut ones, frames at varying times, containers of all kinds."""

import base64
import io
import json
import re
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from click.testing import CliRunner
from fake_detector import FakeDetector
from PIL import Image
from trainer_samples import blob, refused

from evaluation.report import page
from handforge.cli import main
from handforge.dataset import Dataset, DatasetError, video
from trainer.inference import predict

SIZE = (96, 64)
VARYING = [40 * i if i < 10 else 400 + 200 * (i - 10) for i in range(20)]
"""Times of frames in ms: 25 a second, then 5."""


def invoke(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def frame(number):
    """A red disc that moves to the right; its brightness tells the number."""
    image = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    image[blob(SIZE, (15 + 3 * number, 30), 10)] = (255, 0, 0)
    return image


def write(path, codec="mpeg4", times=None, format=None, rate=10, count=20, pixels="yuv420p", aspect=None):
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pixels
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(count):
            image = av.VideoFrame.from_ndarray(frame(number), format="rgb24")
            if times:
                image.pts, image.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(image))
        container.mux(stream.encode())
    return path


def packets(path):
    """Where each packet lies in the file."""
    with av.open(str(path)) as container:
        return [packet.pos for packet in container.demux(video=0) if packet.size]


def cut(path):
    """A video of 20 frames that ends in the middle of its 13th."""
    whole = write(path.with_name(f"whole{path.suffix}"))
    path.write_bytes(whole.read_bytes()[: packets(whole)[12] + 20])
    return path


def read(path):
    """Times and images of what can be read, and what is said of the rest."""
    found = []
    try:
        for item in video.open_video(path).read():
            found.append(item)
    except DatasetError as error:
        return [t for t, _ in found], [image for _, image in found], str(error)
    return [t for t, _ in found], [image for _, image in found], ""


CONTAINERS = [
    *(("a.mp4", "mpeg4", None), ("a.m4v", "mpeg4", "mp4"), ("a.mov", "mpeg4", None), ("a.3gp", "mpeg4", None)),
    *(("a.mkv", "mpeg4", None), ("a.webm", "libvpx", None), ("a.avi", "mpeg4", None), ("a.wmv", "wmv2", "asf")),
    *(("a.flv", "flv1", None), ("a.mpg", "mpeg1video", None), ("a.ts", "mpeg2video", "mpegts")),
    *(("a.mts", "mpeg2video", "mpegts"), ("a.gif", "gif", None)),
]


@pytest.mark.parametrize("name, codec, format", CONTAINERS)
def test_containers_are_read_by_predict_and_by_import(tmp_path, monkeypatch, name, codec, format):
    rate = 25 if codec.startswith("mpeg1") or codec.startswith("mpeg2") else 10
    path = write(
        tmp_path / name, codec, format=format, rate=rate, count=6, pixels="rgb8" if codec == "gif" else "yuv420p"
    )
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    done = invoke("predict", "--weights", "shipped", path, "--out", tmp_path / "out", "--masks")
    assert done.exit_code == 0, done.output
    images = json.loads((tmp_path / "out/images.json").read_text())
    assert [image["seconds"] for image in images] == pytest.approx([n / rate for n in range(6)], abs=0.002)
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/a_000002.png").write_bytes((tmp_path / "out/masks/a_000002.png").read_bytes())
    done = invoke("dataset", "import", "video", path, tmp_path / "data", "--truth", tmp_path / "masks")
    assert done.exit_code == 0, done.output
    dataset = Dataset(tmp_path / "data")
    (image,) = dataset
    (mask,) = dataset.masks(image)
    truth = blob(SIZE, (21, 30), 10)
    assert (mask & truth).sum() / (mask | truth).sum() > 0.8


def test_a_report_shows_frames_evenly_spread_over_each_video(tmp_path, monkeypatch):
    (tmp_path / "shots" / "more").mkdir(parents=True)
    for name, count in (("a.mp4", 10), ("more/b.avi", 3)):
        write(tmp_path / "shots" / name, count=count)
    Image.fromarray(frame(1)).save(tmp_path / "shots" / "c.png")
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    done = invoke("predict", "--weights", "shipped", tmp_path / "shots", "--recursive", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    monkeypatch.setattr(page, "MOST_PHOTOGRAPHS", 9)
    done = invoke("report", tmp_path / "out", "--out", tmp_path / "out.html")
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out.html").read_text()
    said = "7 of 14 images, those with the highest and the lowest scores and frames evenly spread over each video."
    assert said in text
    shown = re.findall(r'src="data:image/webp;base64,([^"]*)"[^>]*alt="(.*) with outlines"', text)
    assert [name for _, name in shown] == [
        "c.png",
        *("a_000000.png", "a_000004.png", "a_000009.png"),
        *("b_000000.png", "b_000001.png", "b_000002.png"),
    ]
    for data, name in shown[1:]:
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")).astype(int)
        columns = np.nonzero(pixels[..., 2] - pixels[..., 0] > 60)[1]  # the blue outline
        assert columns.mean() * SIZE[0] / pixels.shape[1] == pytest.approx(15 + 3 * int(name[2:8]), abs=1.5), name


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize(("aspect", "size"), [("4/3", (128, 64)), ("1/2", (96, 128)), ("1", SIZE), ("9", SIZE)])
def test_pixels_that_are_not_square_are_seen_as_a_player_shows_them(tmp_path, monkeypatch, name, aspect, size):
    """A disc of 20 stored pixels across and down is as much broader or higher; what cannot be is taken for squares."""
    path = write(tmp_path / name, "libx264", count=3, aspect=Fraction(aspect))
    _, images, problem = read(path)
    assert not problem and {image.shape for image in images} == {(size[1], size[0], 3)}
    red = (images[0][..., 0] > 150) & (images[0][..., 1] < 100)
    rows, columns = np.nonzero(red)
    assert np.ptp(columns) + 1 == pytest.approx(20 * size[0] / SIZE[0], abs=2.5)
    assert np.ptp(rows) + 1 == pytest.approx(20 * size[1] / SIZE[1], abs=2.5)
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    done = invoke("predict", "--weights", "shipped", path, "--out", tmp_path / "out", "--masks", "--overlays")
    assert done.exit_code == 0, done.output
    assert {(i["width"], i["height"]) for i in json.loads((tmp_path / "out/images.json").read_text())} == {size}
    assert next(video.read_frames(tmp_path / "out/overlays.mp4")).shape == (size[1], size[0], 3)


def test_imported_frames_have_the_pixels_that_were_annotated_and_it_is_said_where_these_are_not_square(tmp_path):
    path = write(tmp_path / "a.mp4", "libx264", count=3, aspect=Fraction(4, 3))
    (tmp_path / "masks").mkdir()
    Image.fromarray(blob(SIZE, (21, 30), 10)).save(tmp_path / "masks/a_000002.png")
    done = invoke("dataset", "import", "video", path, tmp_path / "data", "--truth", tmp_path / "masks")
    assert done.exit_code == 0, done.output
    assert "a.mp4 has pixels that are not square (4:3); the images keep them" in " ".join(done.output.split())
    (image,) = Dataset(tmp_path / "data")
    assert (image["width"], image["height"]) == SIZE
    square = write(tmp_path / "b.mp4", "libx264", count=3)
    done = invoke("dataset", "import", "video", square, tmp_path / "more", "--truth", tmp_path / "masks")
    assert done.exit_code == 0 and "not square" not in done.output, done.output


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_frames_keep_their_times(tmp_path, monkeypatch, name):
    path = write(tmp_path / name, "libx264", VARYING)
    times, images, problem = read(path)
    assert not problem and len(images) == 20
    assert times == pytest.approx(np.array(VARYING) / 1000, abs=0.002)
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    done = invoke("predict", "--weights", "shipped", path, "--out", tmp_path / "out", "--overlays")
    assert done.exit_code == 0, done.output
    drawn, images, problem = read(tmp_path / "out/overlays.mp4")
    assert not problem and len(images) == 20
    assert drawn == pytest.approx(np.array(VARYING) / 1000, abs=0.002)
    with av.open(str(tmp_path / "out/overlays.mp4")) as container:
        assert container.duration / 1e6 == pytest.approx(2.4, abs=0.3)


def test_a_stream_without_times_has_those_of_its_rate(tmp_path, monkeypatch):
    path = write(tmp_path / "a.mp4", "libx264", rate=10)
    raw = tmp_path / "raw.mp4"  # H.264 without a container
    with av.open(str(path)) as source, av.open(str(raw), "w", format="h264") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    times, images, problem = read(raw)
    assert not problem and len(images) == 20
    assert np.diff(times) == pytest.approx([float(1 / video.open_video(raw).rate)] * 19)
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    assert invoke("predict", "--weights", "shipped", raw, "--out", tmp_path / "out", "--overlays").exit_code == 0
    drawn, _, _ = read(tmp_path / "out/overlays.mp4")
    assert drawn == pytest.approx(times, abs=0.002)


def test_a_cut_video_gives_what_is_there(tmp_path, monkeypatch):
    path = cut(tmp_path / "cut.mkv")
    _, images, problem = read(path)
    assert len(images) == 12
    assert f"cut.mkv is damaged: it ends after {len(images) / 10:.1f} of 2.0 s" in problem
    for number, image in enumerate(images):
        assert np.abs(image.astype(int) - frame(number)).mean() < 8
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    words = ("predict", "--weights", "shipped", path, "--out", tmp_path / "out", "--masks", "--overlays")
    done = invoke(*words)
    assert done.exit_code == 1 and problem in done.stdout
    assert len(list((tmp_path / "out/masks").iterdir())) == len(images)
    assert json.loads((tmp_path / "out/predict.json").read_text())["images"] == len(images)
    refused(invoke(*words[:-3], tmp_path / "strict", "--strict"), "cut.mkv is damaged: it ends after")
    assert not (tmp_path / "strict").exists()


@pytest.mark.parametrize("which", ["last", "middle"])
def test_a_packet_that_cannot_be_decoded_costs_no_other(tmp_path, which):
    path = write(tmp_path / "a.avi", count=20)
    content = bytearray(path.read_bytes())
    at = packets(path)[-1 if which == "last" else 10]
    header = content.index(b"\0\0\1", at)
    content[header : header + 5] = b"\xff" * 5
    (tmp_path / "broken.avi").write_bytes(content)
    _, images, problem = read(tmp_path / "broken.avi")
    assert len(images) >= 18
    assert "broken.avi is damaged: 1 of its packets cannot be decoded" in problem


@pytest.mark.parametrize("name", ["part.mkv", "part.mp4"])
def test_a_part_of_a_recording_that_keeps_its_times_is_whole(tmp_path, name):
    path = write(tmp_path / name, times=[5000 + 100 * n for n in range(20)])
    assert [round(seconds, 3) for seconds, _ in video.open_video(path).read()] == [n / 10 for n in range(20)]


def test_import_takes_a_damaged_video_whose_annotated_frames_are_there(tmp_path):
    cut(tmp_path / "cut.mkv")
    (tmp_path / "masks").mkdir()
    Image.fromarray(blob(SIZE, (21, 30), 10)).save(tmp_path / "masks/a_000002.png")
    done = invoke("dataset", "import", "video", tmp_path / "cut.mkv", tmp_path / "data", "--truth", tmp_path / "masks")
    assert done.exit_code == 0 and "cut.mkv is damaged: it ends after" in done.output, done.output
    Image.fromarray(blob(SIZE, (21, 30), 10)).save(tmp_path / "masks/a_000019.png")
    done = invoke("dataset", "import", "video", tmp_path / "cut.mkv", tmp_path / "other", "--truth", tmp_path / "masks")
    refused(done, "cut.mkv ends before frame 19", "it ends after")


def test_what_holds_no_frame_is_refused(tmp_path):
    whole = write(tmp_path / "a.mp4")
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(DatasetError, match=r"cut.mp4 (has no images, or was cut off|is damaged)"):
        list(video.open_video(tmp_path / "cut.mp4").read())


def test_a_video_is_read_as_its_camera_was_held(tmp_path):
    """The matrix of an MP4's track (ISO 14496-12, 8.3.2) says by how much a player turns it."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:32, :48] = 255  # bright at the upper left
    with video.Writer(tmp_path / "clip.mp4", Fraction(10)) as writer:
        writer.write(pixels)
    content = (tmp_path / "clip.mp4").read_bytes()
    one, level = 0x10000, struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    at = content.index(level, content.index(b"tkhd"))
    for quarter, matrix, bright in (
        (1, (0, one, 0, -one, 0, 0), np.s_[:48, 32:]),  # clockwise: to the upper right
        (2, (-one, 0, 0, 0, -one, 0), np.s_[32:, 48:]),
        (3, (0, -one, 0, one, 0, 0), np.s_[48:, :32]),
    ):
        rotated = content[:at] + struct.pack(">9i", *matrix, 0, 0, 0x40000000) + content[at + 36 :]
        (tmp_path / f"{quarter}.mp4").write_bytes(rotated)
        (frame,) = video.read_frames(tmp_path / f"{quarter}.mp4")
        assert frame.shape == ((96, 64, 3) if quarter % 2 else (64, 96, 3))
        assert frame[bright].mean() > 240 and frame.sum() < 1.1 * frame[bright].sum()


@pytest.mark.parametrize("size", [(64, 48), (1280, 720)])
def test_a_written_video_says_how_its_colours_are_meant(tmp_path, size):
    path, color = tmp_path / "a.mp4", (200, 60, 40)
    with video.Writer(path, Fraction(10)) as writer:
        writer.write(np.full((*size[::-1], 3), color, np.uint8))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range) == (Colorspace.ITU709, ColorRange.MPEG)
    (read,) = video.read_frames(path)
    assert np.abs(read.astype(int) - color).max() < 5
