# Everything from a fresh clone; needs only Python 3.11 to 3.13, Git and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
LIST ?= experiments/zoo.yaml
BASE ?= main
HEAD ?= workspace
FUZZ ?= 20
SEED ?= 1
# the slowest test file comes first, so that one process runs it while the other runs the rest
SLOWEST := tests/stages/test_pipeline.py
# two processes with one thread each: with more threads, torch would be several times slower
PYTEST := OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile --no-loadscope-reorder $(OPTIONS)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo recognition test test-fast fuzz coverage check docs bench sweep weights open card zoo experiments promote review mlflow register

help:  ## list all targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

$(VENV)/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	pip install -r requirements.txt
	pip install --no-deps --editable .
	python -m facealign.experiments.plots_page .dvc/plots.html
	touch $@

# networks trained on another processor differ in the last bits, so the results differ slightly
ADVISE_COMMIT = @git diff --quiet -- '*dvc.lock'; [ $$? -ne 1 ] || \
    { git diff --quiet HEAD -- params.yaml dvc.yaml stages facealign ':!*dvc.lock' \
    && echo "This processor rounds differently from the one that made the committed results," \
    "which therefore differ slightly. Before running experiments: git commit -am Demo"; } || true

demo: $(VENV)/installed  ## run the whole pipeline on generated faces and print the results
	dvc repro
	@python -m facealign.experiments.results metrics/ced.json
	@echo "Report: plots/report.html, plots/report.pdf"
	@echo "To compare the curves of experiments: $(VENV)/bin/dvc plots diff"
	$(ADVISE_COMMIT)

recognition: $(VENV)/installed  ## run the recognition pipeline and print the results
	dvc repro stages/recognition/dvc.yaml
	@python -m facealign.experiments.results metrics/recognition.json
	@echo "Report: plots/recognition/report.html, plots/recognition/report.pdf"
	$(ADVISE_COMMIT)

test: check  ## run linters, type checks and tests
	$(PYTEST) $(SLOWEST) tests

test-fast: check  ## run linters, type checks and the fast tests
	$(PYTEST) -m "not slow"

fuzz: $(VENV)/installed  ## run many more damaged files than `make test`: make fuzz FUZZ=50 SEED=2
	FUZZ=$(FUZZ) FUZZ_SEED=$(SEED) OMP_NUM_THREADS=1 pytest -n 2 tests/fuzz

coverage: $(VENV)/installed  ## run all tests and list the lines that they do not cover
	$(PYTEST) --cov=facealign --cov-report=term-missing:skip-covered $(SLOWEST) tests

docs: $(VENV)/installed  ## build the documentation into site/
	mkdocs build --strict

check: $(VENV)/installed  ## run linters and type checks only
	ruff check .
	ruff format --check .
	mypy

bench: $(VENV)/installed  ## measure throughput and memory of each stage: metrics/bench.json
	python -m facealign.experiments.stage_benchmark metrics/bench.json

sweep: $(VENV)/installed  ## run the experiments of a list: make sweep LIST=mine.yaml
	python -m facealign.experiments.sweep $(LIST)

weights: $(VENV)/installed  ## train the released networks, facealign/weights/
	python -m facealign.experiments.sweep experiments/zoo.yaml cascade small
	python -m facealign.experiments.sweep experiments/weights.yaml residual
	python -m facealign.experiments.release experiments/zoo.yaml data/teachers cascade small
	python -m facealign.experiments.release experiments/weights.yaml data/teachers residual
	rm -rf data/teachers/faces
	python -m stages.extract data/both.tgz data/teachers/faces
	python -m facealign.experiments.translate data/teachers/faces ytf data/translated.tgz \
	    data/teachers/cascade.onnx data/teachers/residual.onnx
	python -m facealign.experiments.sweep experiments/weights.yaml cascade-on residual-on
	python -m facealign.experiments.release experiments/weights.yaml data/teachers \
	    cascade-on residual-on pair=cascade-on+residual-on
	python -m facealign.experiments.sweep experiments/weights.yaml cascade-more residual-more small-more
	python -m facealign.experiments.release experiments/weights.yaml facealign/weights \
	    cascade=cascade-more+residual-more small=small-more
	rm facealign/weights/small.pt  # one network of these to start from is enough in Git

open: $(VENV)/installed  ## train the networks for products, from generated faces only
	python -m facealign.experiments.sweep experiments/open.yaml
	python -m facealign.experiments.release experiments/open.yaml facealign/weights open=open+open-small open-small

card: $(VENV)/installed  ## update the figures of MODEL_CARD.md: make card FACES=data/faces
	$(if $(FACES),,$(error name a folder of real faces: make card FACES=data/faces))
	@python -m facealign.experiments.model_card $(FACES) MODEL_CARD.md

zoo: $(VENV)/installed  ## compare the finished experiments of a list: metrics/zoo.json, plots/zoo
	@python -m facealign.experiments.zoo $(LIST) metrics/zoo.json plots/zoo

# only the commits that experiments were run on
BASELINES = $$(git for-each-ref --format='%(refname)' 'refs/exps/??/*/*' \
    | sed -E 's,refs/exps/(..)/([^/]+)/.*,--rev \1\2,' | sort -u)
FIGURES = auc_08$$|all\.model\.(auc_08|fr_08|nme)$$
SECTIONS = (data|demo|detect|label|crop|train|predict|dlib|ced|report)\.[a-z_]+$$
experiments: $(VENV)/installed  ## list all experiments, highest validation AUC first
	@dvc exp show --md --only-changed --rev HEAD $(BASELINES) \
	    --sort-by metrics/validation.json:auc_08 --sort-order desc \
	    --drop '^(?!Experiment|$(FIGURES)|$(SECTIONS))'

promote: $(VENV)/installed  ## commit an experiment to the branch: make promote EXP=name
	$(if $(EXP),,$(error name the experiment: make promote EXP=name))
	@python -m facealign.experiments.promote $(EXP)

review: $(VENV)/installed  ## review a change: make review BASE=main HEAD=my-experiment
	@python -m facealign.experiments.review $(BASE) $(HEAD) plots/review

mlflow: $(VENV)/installed  ## browse the local MLflow runs at http://127.0.0.1:5000
	mlflow ui --backend-store-uri sqlite:///mlflow.db

register: $(VENV)/installed  ## register data/model.pt as `facealign` in the MLflow registry
	@python -m facealign.experiments.register data/model.pt
