// The dedicated worker that compares people, and holds galleries and indices. It is busy while it ranks: whoever wants no more of it
// ends it.
import { peopleService } from "./people-service.js";
import { serve } from "./serve.js";

serve(peopleService());
