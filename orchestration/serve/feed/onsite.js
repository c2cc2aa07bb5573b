// What a page shows a visitor, as the on-site feed says (docs/onsite.md). Keeps nothing.
(async () => {
  const { src, dataset } = document.currentScript;
  const id = localStorage.getItem(dataset.id || "anonymous_id");
  if (!id) return;
  const feed = new URL(dataset.feed || "site", src);
  feed.searchParams.set("device", id);
  const how = { credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" };
  const answer = await fetch(feed, how);
  if (!answer.ok) return;
  const visitor = await answer.json();
  const every = (selector, change) => document.querySelectorAll(selector).forEach(change);

  every("[data-opt-out]", (each) => (each.hidden = !visitor.opt_out[each.dataset.optOut]));
  if (visitor.opt_out.personalisation) return;

  for (const [slot, key] of Object.entries(visitor.slots)) {
    const ways = [...document.querySelectorAll(`[data-slot="${CSS.escape(slot)}"] > [data-key]`)];
    if (!ways.some((each) => each.dataset.key === key)) continue;
    for (const each of ways) each.hidden = each.dataset.key !== key;
  }
  const fits = (wanted, known) => !wanted || wanted.split(" ").some((each) => known.includes(each));
  every("[data-stage], [data-segment], [data-landing-page]", (each) => {
    const { stage, segment, landingPage } = each.dataset;
    each.hidden =
      !fits(stage, [visitor.stage]) ||
      !fits(segment, visitor.segments) ||
      !fits(landingPage, [visitor.landing_page]);
  });
  every("[data-recommendations]", (list) => {
    const names = JSON.parse(document.getElementById(list.dataset.names).textContent);
    for (const { product_id } of visitor.recommendations) {
      if (!Object.hasOwn(names, product_id)) continue;
      const item = list.querySelector("template").content.cloneNode(true);
      const link = item.querySelector("a");
      link.textContent = names[product_id];
      link.href = list.dataset.url + encodeURIComponent(product_id);
      list.querySelector("template").before(item);
      list.hidden = false;
    }
  });
})().catch(() => {});
