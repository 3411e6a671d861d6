// The console: staff and committee on a desktop.
import '@/shared/tokens.css'
import '@/shared/base.css'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router'
import { language, setLanguage } from '@/shared/i18n'

setLanguage(language.value)
createApp(App).use(router).mount('#app')
