export default `bot spider crawl crawler slurp scraper`;
