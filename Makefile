# The project from a fresh clone: Python 3.11, git and make are all it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
LIST ?= experiments/zoo.yaml
BASE ?= main
HEAD ?= workspace
# first, so that one process is at work on it while the other does the rest
LONGEST := tests/stages/test_pipeline.py
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo recognition test test-fast check docs bench sweep weights card zoo experiments promote review mlflow register

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	pip install -r requirements.txt
	pip install --no-deps --editable .
	python -m facealign.experiments.plots_page .dvc/plots.html
	touch $@

# networks trained on another processor differ in their last bits, and what they find in its last digits
ADVISE_COMMIT = @git diff --quiet -- '*dvc.lock'; [ $$? -ne 1 ] || echo \
    "Trained on this machine, figures differ a little from the committed ones. Before experiments: git commit -am Demo"

demo: $(VENV)/installed  ## run the whole pipeline on generated faces and print the results table
	dvc repro
	@python -m facealign.experiments.results metrics/ced.json
	@echo "The report: plots/report.html, plots/report.pdf; the curves of experiments: $(VENV)/bin/dvc plots diff"
	$(ADVISE_COMMIT)

recognition: $(VENV)/installed  ## choose people, align, recognise, verify; print the table
	dvc repro stages/recognition/dvc.yaml
	@python -m facealign.experiments.results metrics/recognition.json
	@echo "The report: plots/recognition/report.html, plots/recognition/report.pdf"
	$(ADVISE_COMMIT)

test: check  ## lint, types and tests
	pytest -n 2 --dist loadfile --no-loadscope-reorder $(LONGEST) tests

test-fast: check  ## without the slow tests
	pytest -n 2 -m "not slow"

docs: $(VENV)/installed  ## build the documentation into site/
	mkdocs build --strict

check: $(VENV)/installed
	ruff check .
	ruff format --check .
	mypy

bench: $(VENV)/installed  ## pictures a second and peak memory of each stage, into metrics/bench.json
	python -m facealign.experiments.stage_benchmark metrics/bench.json

sweep: $(VENV)/installed  ## run the experiments of a list one after the other: make sweep LIST=mine.yaml
	python -m facealign.experiments.sweep $(LIST)

weights: $(VENV)/installed  ## train the networks that come along and write facealign/weights/
	python -m facealign.experiments.sweep experiments/zoo.yaml cascade small
	python -m facealign.experiments.sweep experiments/weights.yaml residual
	python -m facealign.experiments.release experiments/zoo.yaml data/teachers cascade
	python -m facealign.experiments.release experiments/weights.yaml data/teachers residual
	python -m stages.extract data/both.tgz data/teachers/faces
	python -m facealign.experiments.translate data/teachers/faces ytf data/translated.tgz \
	    data/teachers/cascade.onnx data/teachers/residual.onnx
	python -m facealign.experiments.sweep experiments/weights.yaml cascade-on residual-on
	python -m facealign.experiments.release experiments/weights.yaml facealign/weights cascade=cascade-on+residual-on
	python -m facealign.experiments.release experiments/zoo.yaml facealign/weights small
	rm facealign/weights/small.pt  # Git need not hold a second network to start from

card: $(VENV)/installed  ## measure facealign/weights/ on faces like data/faces: make card FACES=data/faces
	$(if $(FACES),,$(error name the faces, real ones: make card FACES=data/faces))
	@python -m facealign.experiments.model_card $(FACES) MODEL_CARD.md

zoo: $(VENV)/installed  ## compare the experiments of a list that are done: table, metrics/zoo.json, plots/zoo
	@python -m facealign.experiments.zoo $(LIST) metrics/zoo.json plots/zoo

# the commits that experiments began from; all others would be rows without one
BASELINES = $$(git for-each-ref --format='%(refname)' 'refs/exps/??/*/*' \
    | sed -E 's,refs/exps/(..)/([^/]+)/.*,--rev \1\2,' | sort -u)
experiments: $(VENV)/installed  ## list all experiments: what differs, the best AUC in validation first
	@dvc exp show --md --only-changed --rev HEAD $(BASELINES) --sort-by metrics/validation.json:auc_08 --sort-order desc \
	    --drop '^(?!Experiment|auc_08$$|all\.model\.(auc_08|fr_08|nme)$$|(data|demo|detect|crop|train|predict|dlib|ced|report)\.[a-z_]+$$)'

promote: $(VENV)/installed  ## commit an experiment's params, figures and products: make promote EXP=name
	$(if $(EXP),,$(error name the experiment: make promote EXP=name))
	@python -m facealign.experiments.promote $(EXP)

review: $(VENV)/installed  ## prove a change: make review BASE=main HEAD=my-experiment, into plots/review
	@python -m facealign.experiments.review $(BASE) $(HEAD) plots/review

mlflow: $(VENV)/installed  ## open the page of the local runs at http://127.0.0.1:5000
	mlflow ui --backend-store-uri sqlite:///mlflow.db

register: $(VENV)/installed  ## make data/model.pt a version of `facealign` in MLflow's registry
	@python -m facealign.experiments.register data/model.pt
