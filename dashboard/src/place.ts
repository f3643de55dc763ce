// Back leads to where somebody was: a list that was scrolled on is loaded as far again, and scrolled there.
import htmx from "htmx.org";

interface Place {
  pages: number; // loaded after the first
  y: number;
}

// What the history's entry notes; nothing any more where another list took the place of this one, as htmx writes the entry anew.
const noted = (): Place => (history.state as { place?: Place } | null)?.place ?? { pages: 0, y: 0 };
const note = (change: Partial<Place>) => history.replaceState({ ...history.state, place: { ...noted(), ...change } }, "");
const isMore = (element: Element | undefined) => element?.matches("tr.more") ?? false;

export function place(): void {
  const was = { ...noted() };
  let again = 0; // pages loaded on the way back
  const goOn = () => {
    const next = document.querySelector("tr.more");
    if (again < was.pages && next) return htmx.trigger(next, "again");
    scrollTo(0, was.y);
    was.pages = 0;
  };
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (!isMore((event as CustomEvent<{ requestConfig: { elt: Element } }>).detail.requestConfig.elt)) return;
    if (was.pages) {
      again++;
      if (!document.querySelector("tr.more")) goOn();
      return;
    }
    history.scrollRestoration = "manual"; // the browser would scroll before the list is long enough
    note({ pages: noted().pages + 1 });
  });
  document.addEventListener("htmx:load", (event) => was.pages && isMore((event as CustomEvent<{ elt: Element }>).detail.elt) && goOn());
  const leave = () => history.scrollRestoration === "manual" && !was.pages && note({ y: scrollY });
  for (const event of ["scrollend", "pagehide"]) addEventListener(event, leave);
  if (was.pages || was.y) addEventListener("load", goOn);
}
