import * as sdk from "intercom-client-7";
import { tell } from "./generated.mjs";

await tell(sdk);
