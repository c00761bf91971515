async function refresh(question = {}) {
    const found = await server.ask(question);
    if (found) props.value = {...props.value, problem: '', ...found};
}
element.addEventListener('click', event => {
    const {do: wanted, language} = event.target.closest('button')?.dataset ?? {};
    if (wanted) refresh({do: wanted}).then(() => window.dispatchEvent(new Event('heygem:queue')));
    if (language) document.querySelector(`#header [data-language=${language}]`).click();
});
hear('heygem:queue', () => refresh());
every(2000, () => watched() && refresh());
whenSeen(refresh);
