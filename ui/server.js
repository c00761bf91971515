async function refresh(question = {}) {
    const found = await server.ask(question);
    if (found) props.value = {...props.value, problem: '', ...found};
}
element.addEventListener('click', event => {
    const {do: wanted, language} = event.target.closest('button')?.dataset ?? {};
    if (wanted) refresh({do: wanted}).then(() => window.dispatchEvent(new Event('heygem:queue')));
    if (language) document.querySelector(`#header [data-language=${language}]`).click();
});
window.addEventListener('heygem:queue', () => refresh());
const watched = () => !document.hidden && element.offsetParent !== null;
setInterval(() => watched() && refresh(), 2000);
new IntersectionObserver(([seen]) => seen.isIntersecting && refresh()).observe(element);
