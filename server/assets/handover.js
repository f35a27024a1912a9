// The answer of an implicit grant stands behind the `#`, which browsers do not send: it is taken out of the address bar and
// posted to the address that it came to.
"use strict";

const form = document.querySelector("form[data-handover]");
const fragment = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
form.elements.fragment.value = fragment;
form.submit();
