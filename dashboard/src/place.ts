// Back leads to where somebody was: a list that was scrolled on is loaded as far again, and scrolled there.
import htmx from "htmx.org";

interface Place {
  pages: number; // loaded after the first
  y: number;
}

const noted = (): Place => (history.state as { place?: Place } | null)?.place ?? { pages: 0, y: 0 };
const note = (change: Partial<Place>) => history.replaceState({ ...history.state, place: { ...noted(), ...change } }, "");
const isMore = (element: Element | undefined) => element?.matches("tr.more") ?? false;

export function place(): void {
  const was = noted();
  let loaded = 0;
  const goOn = () => {
    const next = document.querySelector("tr.more");
    if (loaded < was.pages && next) return htmx.trigger(next, "again");
    scrollTo(0, was.y);
    was.pages = 0;
  };
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (!isMore((event as CustomEvent<{ requestConfig: { elt: Element } }>).detail.requestConfig.elt)) return;
    loaded++;
    history.scrollRestoration = "manual"; // the browser would scroll before the list is long enough
    note({ pages: Math.max(loaded, was.pages) });
    if (was.pages && !document.querySelector("tr.more")) goOn();
  });
  document.addEventListener("htmx:load", (event) => was.pages && isMore((event as CustomEvent<{ elt: Element }>).detail.elt) && goOn());
  addEventListener("click", (event) => loaded && (event.target as Element).closest("a") && note({ y: scrollY }), true);
  if (was.pages) addEventListener("load", goOn);
}
