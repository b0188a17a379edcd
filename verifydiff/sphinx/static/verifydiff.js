// In the graph of claims: what a claim rests on, and what rests on it, stands out while it is pointed at or focused.
for (const svg of document.querySelectorAll("svg.verifydiff-dag")) {
  const nodes = new Map([...svg.querySelectorAll(".verifydiff-node")].map((node) => [node.dataset.id, node]));
  const edges = [...svg.querySelectorAll(".verifydiff-edge")];
  const reach = (start, from, to) => {
    const met = new Set([start]);
    for (const one of met) for (const edge of edges) if (edge.dataset[from] === one) met.add(edge.dataset[to]);
    return met;
  };
  const show = (id) => {
    const bases = reach(id, "from", "to");
    const users = reach(id, "to", "from");
    svg.classList.add("verifydiff-chosen");
    for (const [name, node] of nodes) {
      node.classList.toggle("verifydiff-base", bases.has(name));
      node.classList.toggle("verifydiff-user", users.has(name) && name !== id);
    }
    for (const edge of edges) {
      edge.classList.toggle("verifydiff-base", bases.has(edge.dataset.from));
      edge.classList.toggle("verifydiff-user", users.has(edge.dataset.to));
    }
  };
  const clear = () => svg.classList.remove("verifydiff-chosen");
  for (const [id, node] of nodes) {
    node.addEventListener("pointerenter", () => show(id));
    node.addEventListener("focus", () => show(id));
    node.addEventListener("pointerleave", clear);
    node.addEventListener("blur", clear);
  }
}
