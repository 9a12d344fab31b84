#!/usr/bin/env bash
# Push the figures of plots/review to the branch `review-figures`, because a comment on GitHub can only link to
# pictures, and print the page with these links. Arguments: URL of the repository, name of the review.
set -euo pipefail
url=$1 name=$2 page=plots/review/review.md
figures=$(mktemp -d)
trap 'rm -rf "$figures"' EXIT
git clone -q --depth 1 --branch review-figures "$(git remote get-url origin)" "$figures" 2>/dev/null ||
    { git init -q "$figures" && git -C "$figures" checkout -q --orphan review-figures; }
rm -rf "${figures:?}/$name" && mkdir -p "$figures/$name"
cp plots/review/*.png "$figures/$name/"
[ ! -f plots/review/faces.jpg ] || cp plots/review/faces.jpg "$figures/$name/"
git -C "$figures" add -A
git -C "$figures" -c user.name=review -c user.email=review@localhost commit -q --allow-empty -m "Figures of $name"
git -C "$figures" push -q "$(git remote get-url origin)" HEAD:review-figures
commit=$(git -C "$figures" rev-parse HEAD)
sed -E "s#\]\(([A-Za-z0-9_.-]+\.(png|jpg))\)#](${url}/raw/${commit}/${name}/\1)#" "$page"
