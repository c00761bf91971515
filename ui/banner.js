async function refresh(question = {}) {
    props.value = await server.ask(question) ?? props.value;
}
element.addEventListener('click', event => {
    const pressed = event.target.closest('[data-do]');
    if (pressed) refresh({do: pressed.dataset.do}).then(() => window.dispatchEvent(new Event('heygem:queue')));
});
hear('heygem:queue', () => refresh());
every(5000, () => document.hidden || refresh());
refresh();
