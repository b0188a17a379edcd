// The page is complete without this: it filters, and opens what a link leads into.
(() => {
  const filters = document.getElementById("filters");
  if (filters) {
    const bad = document.getElementById("only-bad"), chosen = document.getElementById("only-class");
    const apply = () => {
      document.documentElement.classList.toggle("only-bad", bad.checked);
      for (const kind of document.querySelectorAll("[data-class]")) {
        kind.hidden = chosen.value !== "" && kind.dataset.class !== chosen.value;
        if (kind.closest(".matrix") && chosen.value === kind.dataset.class) kind.open = true;
      }
    };
    filters.hidden = false;
    filters.addEventListener("change", apply);
    apply();
  }
  const reveal = () => {
    const there = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!there) return;
    let closed = false;
    for (let fold = there.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      closed ||= !fold.open;
      fold.open = true;
    }
    if (closed) there.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
