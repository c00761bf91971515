let shown = '';

async function refresh() {
    const found = await server.ask({});
    const text = JSON.stringify(found);
    if (!found || text === shown) return;  // what is open or marked stays so
    shown = text;
    props.value = {...props.value, problem: '', ...found};
}

element.addEventListener('click', async event => {
    const button = event.target.closest('[data-copy]');
    if (!button) return;
    const command = button.previousElementSibling;
    if (!await heygemCopy(Promise.resolve(command.innerText), button)) return getSelection().selectAllChildren(command);
    const {engine_copy: before, engine_copied: after} = props.value.words;
    button.textContent = after;
    setTimeout(() => { button.textContent = before; }, 2000);
});

every(3000, () => watched() && refresh());
whenSeen(refresh);
