// Stands before the script of every template: what several of them use.
const find = selector => element.querySelector(selector);
const rendered = () => new Promise(resolve => queueMicrotask(resolve));  // the template shows what props.value became
const watched = () => !document.hidden && element.offsetParent !== null;
const exact = text => text.replaceAll('$\u2060', '$').replaceAll('＼', '\\');  // as it was before ui.template.plain

// What goes on outside of the element ends with it: a view that is hidden and shown again is another element.
function every(milliseconds, work) {
    const timer = setInterval(() => element.isConnected ? work() : clearInterval(timer), milliseconds);
}

function hear(name, work) {
    const listener = event => element.isConnected ? work(event) : window.removeEventListener(name, listener);
    window.addEventListener(name, listener);
}

function whenSeen(work) {
    new IntersectionObserver(([seen]) => seen.isIntersecting && work()).observe(element);
}

function openModal(dialog) {
    if (dialog.matches(':modal')) return;
    dialog.removeAttribute('open');  // as the template has it, but that is no modal one
    dialog.showModal();
}

// Was the press beside a window? Its own margin belongs to it.
function isShade({target, clientX: x, clientY: y}) {
    const box = target.getBoundingClientRect();
    return target.matches('dialog') && (x < box.left || x > box.right || y < box.top || y > box.bottom);
}

