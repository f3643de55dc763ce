"""The JavaScript API's server side: who a browser speaks for, what it delivers, and the script itself."""
