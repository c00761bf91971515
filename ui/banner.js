async function refresh(question = {}) {
    props.value = await server.ask(question) ?? props.value;
}
element.addEventListener('click', event => {
    const pressed = event.target.closest('[data-do]');
    if (pressed) refresh({do: pressed.dataset.do}).then(() => window.dispatchEvent(new Event('heygem:queue')));
});
window.addEventListener('heygem:queue', () => refresh());
setInterval(() => document.hidden || refresh(), 5000);
refresh();
