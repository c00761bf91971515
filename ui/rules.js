// Settings stay as they are until the server starts again.
new IntersectionObserver(async ([seen]) => {
    if (seen.isIntersecting) props.value = await server.ask({}) ?? props.value;
}).observe(element);
