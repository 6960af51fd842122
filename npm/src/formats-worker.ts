// The dedicated worker that reads and writes models of other programs. It does one thing and is ended: its memory comes back.
import { formatsService } from "./formats-service.js";
import { serve } from "./serve.js";

serve(formatsService());
