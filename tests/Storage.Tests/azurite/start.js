// Azurite, that ends when whoever started it does: then its standard input is closed.
process.stdin.on('end', () => process.exit()).resume();
require('azurite/dist/src/blob/main.js');
