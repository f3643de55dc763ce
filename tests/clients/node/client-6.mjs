import sdk from "intercom-client-6";
import { tell } from "./generated.mjs";

await tell(sdk);
