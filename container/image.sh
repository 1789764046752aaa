#!/bin/sh
# Builds the image with Docker's buildx, and pushes it where IMAGE says:
#   IMAGE=<repository> [TAG="<tags besides the commit's hash>"] [TARGET=agent|preview] [ARCHITECTURE=arm64|x86_64|both] container/image.sh
# TARGET is the agent's image without it, or that of previews; BROWSER= leaves the browser out of that.
# ARCHITECTURE is the template's parameter of that name, and has its default.
# Without IMAGE nothing is pushed: the image goes into dist/image.tar or dist/preview.tar, as an OCI archive.
set -eu
cd "$(dirname "$0")/.."

remedy() {
  echo "image: $1" >&2
  echo "$2" >&2
  exit 1
}
case "${ARCHITECTURE:-arm64}" in
  arm64) platforms=linux/arm64 ;;
  x86_64) platforms=linux/amd64 ;;
  both) platforms=linux/amd64,linux/arm64 ;;
  *) remedy "ARCHITECTURE=$ARCHITECTURE is not known." "Choose arm64 or x86_64, as the stack has it, or both." ;;
esac
case "${TARGET:-agent}" in
  agent) archive=dist/image.tar ;;
  preview) archive=dist/preview.tar ;;
  *) remedy "TARGET=$TARGET is not known." "Choose agent or preview." ;;
esac

hint="Without Docker: 'make image-test' builds and tries the image on this machine (Linux, as root), and any
other builder of OCI images (CodeBuild, a CI runner, buildah) can be given container/Dockerfile."

command -v docker > /dev/null || remedy "docker is missing." "Install Docker with buildx. $hint"
docker buildx version > /dev/null 2>&1 || remedy "Docker has no buildx." \
  "Install its plugin (Debian and Ubuntu: apt install docker-buildx-plugin). $hint"
docker info > /dev/null 2>&1 || remedy "no Docker engine answers." \
  "Start Docker, or point DOCKER_HOST at an engine. $hint"

# The engine's own builder makes neither two architectures nor a cache in a registry.
builder=pullwright
docker buildx inspect "$builder" > /dev/null 2>&1 \
  || docker buildx create --name "$builder" --driver docker-container > /dev/null

revision=$(git rev-parse --short=12 HEAD)
set -- --builder "$builder" --platform "$platforms" --file container/Dockerfile --target "${TARGET:-agent}" \
  --build-arg "REVISION=$revision" --build-arg "SOURCE=${SOURCE:-}" --provenance=true --sbom=true
[ -z "${BROWSER+set}" ] || set -- "$@" --build-arg "BROWSER=$BROWSER"
compression="compression=zstd,compression-level=9,force-compression=true,oci-mediatypes=true"
if [ -n "${IMAGE:-}" ]; then
  # Amazon ECR takes a cache only as an image manifest.
  cache="type=registry,ref=$IMAGE:cache"
  for tag in ${TAG:-}; do set -- "$@" --tag "$IMAGE:$tag"; done
  set -- "$@" --tag "$IMAGE:$revision" --output "type=image,push=true,$compression" \
    --cache-from "$cache" --cache-to "$cache,mode=max,image-manifest=true,oci-mediatypes=true"
  where="$IMAGE:$revision"
else
  mkdir -p dist
  where=$archive
  set -- "$@" --output "type=oci,dest=$where,$compression"
fi
docker buildx build "$@" .
echo "image: $where"
