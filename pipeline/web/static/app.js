// What htmx leaves to do: a search survives the way back from a lead, and a new page of the list begins at its top.
(function () {
  "use strict";
  var field = function () { return document.getElementById("q"); };

  // The text stands in no address, so it is kept beside this entry of the browser's history, in this window alone.
  var remember = function () {
    if (field()) { history.replaceState({ htmx: true, text: field().value }, ""); }
  };
  document.addEventListener("htmx:pushedIntoHistory", remember);
  document.addEventListener("input", function (event) { if (event.target.id === "q") { remember(); } });
  window.addEventListener("pageshow", function () {
    var kept = history.state && history.state.text;
    var q = field();
    if (kept && q && q.value !== kept) {
      q.value = kept;
      window.htmx.trigger("#filters", "submit");
    }
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-top]");
    if (button) {
      document.addEventListener("htmx:afterSettle", function () {
        window.scrollTo(0, 0);
        var first = document.querySelector("#results .row-link");
        if (first) { first.focus(); }
      }, { once: true });
    }
    var back = event.target.closest("[data-back]");
    if (back && document.referrer && new URL(document.referrer).pathname === "/leads" && history.length > 1) {
      event.preventDefault();
      history.back();
    }
    document.querySelectorAll("details.drop[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) { menu.open = false; }
    });
  });

  // A list that is swapped under the mouse would lose the click on a lead: it waits until the button is up.
  var isDown = false;
  var waits = false;
  document.addEventListener("pointerdown", function (event) {
    if (!event.target.closest("#results")) { return; }
    isDown = true;
    waits = document.querySelector("#busy.htmx-request") !== null;
    window.htmx.trigger("#filters", "htmx:abort");
  });
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (isDown && event.detail.elt.id === "filters") { event.preventDefault(); waits = true; }
  });
  ["pointerup", "pointercancel"].forEach(function (name) {
    document.addEventListener(name, function () {
      isDown = false;
      // After the click, which comes next.
      if (waits) { waits = false; window.setTimeout(function () { if (field()) { window.htmx.trigger("#filters", "submit"); } }, 0); }
    });
  });

  document.addEventListener("keydown", function (event) {
    var isTyping = /^(input|select|textarea)$/i.test(event.target.tagName);
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && field()) {
      event.preventDefault();
      field().focus();
    }
    if (event.key === "Escape") {
      document.querySelectorAll("details.drop[open]").forEach(function (menu) { menu.open = false; menu.firstElementChild.focus(); });
    }
  });
})();
