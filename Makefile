# make help says what there is. Everything lands in .venv, demo/ and real/ inside this folder.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo real test test-slow test-ui docs lint lock clean

help:
	@echo "make setup       make the virtual environment .venv and install everything into it"
	@echo "make demo        render, train, predict, score; ends with demo/report.html"
	@echo "                 REAL=DIR also scores real photographs (DIR/images and DIR/masks)"
	@echo "make real        from rendered indoor scenes to photographs; ends with real/report.html"
	@echo "                 HANDS=\"DIR ...\" photographs to score whose masks end at the wrist,"
	@echo "                 MANY=\"DIR ...\" as HANDS, where the pieces of a mask are several hands"
	@echo "                 ARMS=\"DIR ...\" whose masks include the forearm"
	@echo "make test        the tests, some minutes on two cores"
	@echo "make test-slow   the tests that take longer"
	@echo "make test-ui     drives a real Blender window: BLENDER=/path/to/blender, Debian's xvfb, xdotool and imagemagick;"
	@echo "                 and the page for browsers: ORT_WEB=/path/to/onnxruntime-web/dist, Debian's chromium"
	@echo "make docs        build the documentation into site/"
	@echo "make lint        ruff and mypy"
	@echo "make lock        renew the versions that make setup installs"
	@echo "make clean       remove .venv, demo/, real/ and site/"
	@echo "PYTHON=/path/to/python3.13 chooses the Python; by default the newest of 3.13 and 3.11 that runs"

# bpy has wheels for Python 3.13 (Blender 5.1, 5.2) and 3.11 (4.5, 5.0). A name on the PATH may be a shim that does
# not run, so every candidate is tried.
define FIND_PYTHON
for version in 3.13 3.11; do \
  for python in "$(PYTHON)" python$$version "$$(pyenv root 2>/dev/null)"/versions/$$version*/bin/python python3 python; do \
    [ -n "$$python" ] || continue; \
    "$$python" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$$version')" 2>/dev/null \
      && { echo "$$python"; exit 0; }; \
    [ -z "$(PYTHON)" ] || break; \
  done; \
done; exit 1
endef

setup: $(READY)

# Asked for another Python, look whether .venv has it.
ifeq ($(origin PYTHON),command line)
.PHONY: $(READY)
endif

$(READY): pyproject.toml constraints-3.13.txt constraints-3.11.txt
	@python=$$($(FIND_PYTHON)) || { \
	  echo "No usable Python 3.13 or 3.11 (with venv) was found$(if $(PYTHON), at PYTHON=$(PYTHON))." >&2; \
	  echo "Install one (Debian: apt-get install python3 python3-venv; or pyenv install 3.13) or name it: make setup PYTHON=/path/to/python3.13" >&2; exit 2; }; \
	if [ -x $(BIN)/python ] && [ "$$($(BIN)/python -V 2>/dev/null)" != "$$("$$python" -V)" ]; then rm -rf $(VENV); fi; \
	echo "Installing into $(VENV) with $$("$$python" -V) (some GB; a few minutes)"; \
	[ -x $(BIN)/python ] || "$$python" -m venv $(VENV)
# pip 25.1 is the first with dependency groups. On a terminal it shows its progress.
	@$(BIN)/pip install -qq --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/pip install $$([ -t 2 ] || echo -qq) --disable-pip-version-check -e '.[all]' --group dev \
	  -c constraints-$$($(BIN)/python -c "import sys; print('%d.%d' % sys.version_info[:2])").txt
	@$(BIN)/python -c "import bpy" >/dev/null 2>$(VENV)/bpy.log || { cat $(VENV)/bpy.log >&2; \
	  echo "Blender's module needs system libraries that are not here. On Debian or Ubuntu:" >&2; \
	  echo "  sudo apt-get install -y libegl1 libgl1 libgomp1 libice6 libsm6 libx11-6 libxfixes3 libxi6 libxkbcommon0 libxrender1 libxxf86vm1" >&2; exit 2; }
	@touch $@

# Every step of demo and real continues or skips what an earlier, interrupted run has done.
REAL_NAME = $(notdir $(patsubst %/,%,$(REAL)))
demo: $(READY)
ifdef REAL
	@[ -d "$(REAL)/images" ] && [ -d "$(REAL)/masks" ] || { \
	  echo "REAL=$(REAL) is not a folder with images/ and masks/; nothing was done" >&2; exit 2; }
endif
	@echo "1/5 Rendering 400 images of both pose sets into demo/hands"
	@$(BIN)/handforge render --set all --count 400 --settings studio --out demo/hands
	@$(BIN)/handforge dataset split demo/hands demo/train demo/test --test 60
	@echo "2/5 Training three sessions from ImageNet weights (most of the time goes here)"
	@$(BIN)/handforge repeat --recipe demo --data demo/train --out demo/run --resume
	@echo "3/5 Predicting the 60 held-out images"
	@$(BIN)/handforge predict --weights demo/run demo/test --out demo/run/predictions/synthetic
ifdef REAL
	@echo "    and the photographs of $(REAL)"
	@rm -rf "demo/photos/$(REAL_NAME)"; mkdir -p demo/photos
	@$(BIN)/handforge dataset import masks "$(REAL)" "demo/photos/$(REAL_NAME)" --min-area 50
	@$(BIN)/handforge predict --weights demo/run "demo/photos/$(REAL_NAME)" --out "demo/run/predictions/$(REAL_NAME)"
endif
	@echo "4/5 Scoring"
	@$(BIN)/handforge score demo/test demo/run/predictions/synthetic --json demo/synthetic.json
ifdef REAL
	@$(BIN)/handforge score "demo/photos/$(REAL_NAME)" "demo/run/predictions/$(REAL_NAME)" --json "demo/photos/$(REAL_NAME).json"
endif
	@echo "5/5 Writing the report"
	@$(BIN)/handforge report demo/run --out demo/report.html
	@echo "Done: open $(CURDIR)/demo/report.html"

# A Mask R-CNN goes on from ImageNet weights, and a copy of it learns to include the forearm.
PHOTOS = $(HANDS) $(MANY) $(ARMS)
real: $(READY)
	@for dir in $(PHOTOS); do [ -d "$$dir/images" ] && [ -d "$$dir/masks" ] || { \
	  echo "$$dir is not a folder with images/ and masks/; nothing was done" >&2; exit 2; }; done
	@twice=$$(printf '%s\n' $(notdir $(PHOTOS:%/=%)) | sort | uniq -d); [ -z "$$twice" ] || { \
	  echo "Two folders of photographs are called" $$twice"; their results would be one: rename one" >&2; exit 2; }
	@echo "Rendering 1500 images of hands indoors into real/rooms"
	@$(BIN)/handforge render --set l11 --settings varied --resolution 480x360 --mask both --count 1500 --out real/rooms
	@echo "Training on them"
	@$(BIN)/handforge repeat --recipe cpu-real --data real/rooms --out real/hand --resume
	@$(BIN)/handforge repeat --recipe cpu-real-forearm --data real/rooms --init real/hand --out real/forearm --resume
	@set -e; for dir in $(HANDS); do $(call SCORE,$$dir,real/hand,hand,--tta); done
	@set -e; for dir in $(MANY); do $(call SCORE,$$dir,real/hand,hand --split,--tta); done
	@set -e; for dir in $(ARMS); do $(call SCORE,$$dir,real/forearm,hand+forearm); done
	@$(BIN)/handforge report real/hand real/forearm --out real/report.html
	@echo "Done: open $(CURDIR)/real/report.html"

# Import, predict and score one folder of photographs: folder, run, what the masks cover, options of predict.
define SCORE
  name=$$(basename "$(1)"); photos="real/photos/$$name"; rm -rf "$$photos"; mkdir -p real/photos; \
  $(BIN)/handforge dataset import masks "$(1)" "$$photos" --min-area 50 --mask $(3); \
  $(BIN)/handforge predict --weights $(2) $(4) "$$photos" --out "$(2)/predictions/$$name"; \
  $(BIN)/handforge score "$$photos" "$(2)/predictions/$$name" --json "$$photos.json"
endef

test: $(READY)
	$(BIN)/pytest

test-slow: $(READY)
	$(BIN)/pytest -m slow

test-ui: $(READY)
	$(BIN)/pytest -n 0 -m ui tests/ui

docs: $(READY)
	$(BIN)/mkdocs build --quiet
	@echo "Done: open $(CURDIR)/site/index.html"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The versions that make setup installs, for this environment's Python: make lock; make lock VENV=.venv-3.11 PYTHON=...
lock:
	@version=$$($(BIN)/python -c "import sys; print('%d.%d' % sys.version_info[:2])"); \
	$(BIN)/pip install --quiet --disable-pip-version-check --dry-run --ignore-installed --report $(VENV)/lock.json '.[all]' --group dev && \
	$(BIN)/python -c "import json; found = json.load(open('$(VENV)/lock.json'))['install']; \
	  lines = sorted('%s==%s' % (i['metadata']['name'].lower(), i['metadata']['version']) for i in found); \
	  print('\n'.join(line for line in lines if not line.startswith('handforge==')))" > constraints-$$version.txt && \
	echo "constraints-$$version.txt: the newest versions that fit together"

clean:
	rm -rf $(VENV) demo real site
